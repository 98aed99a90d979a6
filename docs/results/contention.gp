# Draws contention-gnuplot.svg from contention.csv, which lies beside it: gnuplot contention.gp
set datafile separator comma
set datafile columnheaders
set terminal svg size 854,334 font 'Liberation Sans,11' background rgb 'white'
set output 'contention-gnuplot.svg'
set multiplot layout 1,3 title 'Contention: 200 connections against 100' font ',14'
set style fill solid
set grid ytics lc rgb '#e4e4e4'
set border 3
set tics nomirror out
set key outside top center horizontal

set title 'Throughput'
set xlabel 'connections'
set ylabel 'requests a second'
unset logscale
set xrange [-0.5:1.5]
set yrange [0:122823.24096000001]
set xtics ('100' 0, '200' 1)
set ytics ('0' 0, '20k' 20000, '40k' 40000, '60k' 60000, '80k' 80000, '100k' 100000, '120k' 120000)
unset arrow
unset label
unset key
plot 'contention.csv' every ::0::1 using (column('place') + 0):(column('req_per_s')):(0.73) with boxes lc rgb '#0072b2' title 'requests', \
     'contention.csv' every ::0::1 using (column('place') + 0):(column('req_per_s')):(column('req_per_s_min')):(column('req_per_s_max')) with yerrorbars pt 0 lc rgb '#222222' notitle

set title 'Latency'
set xlabel 'connections'
set ylabel 'latency, ms'
unset logscale
set xrange [-0.5:1.5]
set yrange [0.5:20]
set logscale y 10
set xtics ('100' 0, '200' 1)
set ytics ('0.5' 0.5, '1' 1, '2' 2, '5' 5, '10' 10, '20' 20)
unset arrow
unset label
set key
plot 'contention.csv' every ::0::1 using (column('place')):(column('p50_ms') > 0 ? column('p50_ms') : NaN) with linespoints lw 2 pt 7 ps 0.7 lc rgb '#009e73' title 'p50', \
     'contention.csv' every ::0::1 using (column('place')):(column('p95_ms') > 0 ? column('p95_ms') : NaN) with linespoints lw 2 pt 7 ps 0.7 lc rgb '#0072b2' title 'p95', \
     'contention.csv' every ::0::1 using (column('place')):(column('p99_ms') > 0 ? column('p99_ms') : NaN) with linespoints lw 2 pt 7 ps 0.7 lc rgb '#e69f00' title 'p99', \
     'contention.csv' every ::0::1 using (column('place')):(column('p999_ms') > 0 ? column('p999_ms') : NaN) with linespoints lw 2 pt 7 ps 0.7 lc rgb '#d55e00' title 'p99.9'

set title 'Waiting for locks'
set xlabel 'connections'
set ylabel 'µs a request'
unset logscale
set xrange [-0.5:1.5]
set yrange [0:0.19107200000000002]
set xtics ('100' 0, '200' 1)
set ytics ('0' 0, '0.05' 0.05, '0.1' 0.1, '0.15' 0.15000000000000002)
unset arrow
unset label
unset key
plot 'contention.csv' every ::0::1 using (column('place') + 0):(column('lock_wait_us_per_request')):(0.73) with boxes lc rgb '#d55e00' title 'lock wait'
unset multiplot
