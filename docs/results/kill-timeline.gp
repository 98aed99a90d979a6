# Draws kill-timeline-gnuplot.svg from kill-timeline.csv, which lies beside it: gnuplot kill-timeline.gp
set datafile separator comma
set datafile columnheaders
set terminal svg size 854,613 font 'Liberation Sans,11' background rgb 'white'
set output 'kill-timeline-gnuplot.svg'
set multiplot layout 2,1 title 'A worker is killed: over the time' font ',14'
set style fill solid
set grid ytics lc rgb '#e4e4e4'
set border 3
set tics nomirror out
set key outside top center horizontal

set title 'Throughput'
set xlabel 'time, s'
set ylabel 'requests a second'
unset logscale
set xrange [0:29.7]
set yrange [0:61404.166625]
set xtics ('0' 0, '5' 5, '10' 10, '15' 15, '20' 20, '25' 25)
set ytics ('0' 0, '10k' 10000, '20k' 20000, '30k' 30000, '40k' 40000, '50k' 50000, '60k' 60000)
unset arrow
unset label
set arrow from first 15.003126883, graph 0 to first 15.003126883, graph 1 nohead dt 2 lc rgb '#b00020'
set label 'kill -9: replaced after 23 ms' at first 15.003126883, graph 0.96 offset 0.5,0 tc rgb '#b00020'
unset key
plot 'kill-timeline.csv' every ::0::99 using (column('second')):(column('req_per_s')) with lines lw 2 lc rgb '#0072b2' title 'a worker killed'

set title 'Latency'
set xlabel 'time, s'
set ylabel 'latency, ms'
unset logscale
set xrange [0:29.7]
set yrange [1:100]
set logscale y 10
set xtics ('0' 0, '5' 5, '10' 10, '15' 15, '20' 20, '25' 25)
set ytics ('1' 1, '2' 2, '5' 5, '10' 10, '20' 20, '50' 50, '100' 100)
unset arrow
unset label
set arrow from first 15.003126883, graph 0 to first 15.003126883, graph 1 nohead dt 2 lc rgb '#b00020'
set key
plot 'kill-timeline.csv' every ::0::99 using (column('second')):(column('p50_ms') > 0 ? column('p50_ms') : NaN) with lines lw 2 lc rgb '#009e73' title 'p50', \
     'kill-timeline.csv' every ::0::99 using (column('second')):(column('p95_ms') > 0 ? column('p95_ms') : NaN) with lines lw 2 lc rgb '#0072b2' title 'p95', \
     'kill-timeline.csv' every ::0::99 using (column('second')):(column('p99_ms') > 0 ? column('p99_ms') : NaN) with lines lw 2 lc rgb '#e69f00' title 'p99', \
     'kill-timeline.csv' every ::0::99 using (column('second')):(column('p999_ms') > 0 ? column('p999_ms') : NaN) with lines lw 2 lc rgb '#d55e00' title 'p99.9'
unset multiplot
