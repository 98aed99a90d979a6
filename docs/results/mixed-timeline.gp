# Draws mixed-timeline-gnuplot.svg from mixed-timeline.csv, which lies beside it: gnuplot mixed-timeline.gp
set datafile separator comma
set datafile columnheaders
set terminal svg size 854,613 font 'Liberation Sans,11' background rgb 'white'
set output 'mixed-timeline-gnuplot.svg'
set multiplot layout 2,1 title 'Mixed load: over the time' font ',14'
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
set yrange [0:54943.466704000006]
set xtics ('0' 0, '5' 5, '10' 10, '15' 15, '20' 20, '25' 25)
set ytics ('0' 0, '10k' 10000, '20k' 20000, '30k' 30000, '40k' 40000, '50k' 50000)
unset arrow
unset label
unset key
plot 'mixed-timeline.csv' every ::0::99 using (column('second')):(column('req_per_s')) with lines lw 2 lc rgb '#0072b2' title '100 connections'

set title 'Latency'
set xlabel 'time, s'
set ylabel 'latency, ms'
unset logscale
set xrange [0:29.7]
set yrange [1:20]
set logscale y 10
set xtics ('0' 0, '5' 5, '10' 10, '15' 15, '20' 20, '25' 25)
set ytics ('1' 1, '2' 2, '5' 5, '10' 10, '20' 20)
unset arrow
unset label
set key
plot 'mixed-timeline.csv' every ::0::99 using (column('second')):(column('p50_ms') > 0 ? column('p50_ms') : NaN) with lines lw 2 lc rgb '#009e73' title 'p50', \
     'mixed-timeline.csv' every ::0::99 using (column('second')):(column('p95_ms') > 0 ? column('p95_ms') : NaN) with lines lw 2 lc rgb '#0072b2' title 'p95', \
     'mixed-timeline.csv' every ::0::99 using (column('second')):(column('p99_ms') > 0 ? column('p99_ms') : NaN) with lines lw 2 lc rgb '#e69f00' title 'p99', \
     'mixed-timeline.csv' every ::0::99 using (column('second')):(column('p999_ms') > 0 ? column('p999_ms') : NaN) with lines lw 2 lc rgb '#d55e00' title 'p99.9'
unset multiplot
