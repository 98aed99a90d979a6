# Draws locks-gnuplot.svg from locks.csv, which lies beside it: gnuplot locks.gp
set datafile separator comma
set datafile columnheaders
set terminal svg size 854,334 font 'Liberation Sans,11' background rgb 'white'
set output 'locks-gnuplot.svg'
set multiplot layout 1,3 title 'Lock granularity: one lock for all accounts, and one for each' font ',14'
set style fill solid
set grid ytics lc rgb '#e4e4e4'
set border 3
set tics nomirror out
set key outside top center horizontal

set title 'Throughput'
set xlabel 'accounts'
set ylabel 'requests a second'
unset logscale
set xrange [-0.5:1.5]
set yrange [0:1.293274238032e+06]
set xtics ('uniform' 0, 'hot accounts' 1)
set ytics ('0' 0, '200k' 200000.00000000003, '400k' 400000.00000000006, '600k' 600000.0000000001, '800k' 800000.0000000001, '1M' 1.0000000000000001e+06, '1.2M' 1.2000000000000002e+06)
unset arrow
unset label
set key
plot 'locks.csv' every ::0::1 using (column('place') + -0.19):(column('req_per_s')):(0.35) with boxes lc rgb '#d55e00' title 'global', \
     'locks.csv' every ::0::1 using (column('place') + -0.19):(column('req_per_s')):(column('req_per_s_min')):(column('req_per_s_max')) with yerrorbars pt 0 lc rgb '#222222' notitle, \
     'locks.csv' every ::2::3 using (column('place') + 0.19):(column('req_per_s')):(0.35) with boxes lc rgb '#0072b2' title 'account', \
     'locks.csv' every ::2::3 using (column('place') + 0.19):(column('req_per_s')):(column('req_per_s_min')):(column('req_per_s_max')) with yerrorbars pt 0 lc rgb '#222222' notitle

set title 'Latency'
set xlabel 'accounts'
set ylabel 'p99, ms'
unset logscale
set xrange [-0.5:1.5]
set yrange [0:8.496096000000001]
set xtics ('uniform' 0, 'hot accounts' 1)
set ytics ('0' 0, '2' 2, '4' 4, '6' 6, '8' 8)
unset arrow
unset label
set key
plot 'locks.csv' every ::0::1 using (column('place') + -0.19):(column('p99_ms')):(0.35) with boxes lc rgb '#d55e00' title 'global', \
     'locks.csv' every ::2::3 using (column('place') + 0.19):(column('p99_ms')):(0.35) with boxes lc rgb '#0072b2' title 'account'

set title 'Waiting for locks'
set xlabel 'accounts'
set ylabel 'µs a request'
unset logscale
set xrange [-0.5:1.5]
set yrange [0:0.118048]
set xtics ('uniform' 0, 'hot accounts' 1)
set ytics ('0' 0, '0.02' 0.02, '0.04' 0.04, '0.06' 0.06, '0.08' 0.08, '0.1' 0.1)
unset arrow
unset label
set key
plot 'locks.csv' every ::0::1 using (column('place') + -0.19):(column('lock_wait_us_per_request')):(0.35) with boxes lc rgb '#d55e00' title 'global', \
     'locks.csv' every ::2::3 using (column('place') + 0.19):(column('lock_wait_us_per_request')):(0.35) with boxes lc rgb '#0072b2' title 'account'
unset multiplot
