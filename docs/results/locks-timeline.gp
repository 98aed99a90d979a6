# Draws locks-timeline-gnuplot.svg from locks-timeline.csv, which lies beside it: gnuplot locks-timeline.gp
set datafile separator comma
set datafile columnheaders
set terminal svg size 854,613 font 'Liberation Sans,11' background rgb 'white'
set output 'locks-timeline-gnuplot.svg'
set multiplot layout 2,1 title 'Lock granularity: one lock for all accounts, and one for each: over the time' font ',14'
set style fill solid
set grid ytics lc rgb '#e4e4e4'
set border 3
set tics nomirror out
set key outside top center horizontal

set title 'Latency'
set xlabel 'time, s'
set ylabel 'p99, ms'
unset logscale
set xrange [0:3.6]
set yrange [2:20]
set logscale y 10
set xtics ('0' 0, '1' 1, '2' 2, '3' 3)
set ytics ('2' 2, '5' 5, '10' 10, '20' 20)
unset arrow
unset label
set key
plot 'locks-timeline.csv' every ::0::36 using (column('second')):(column('p99_ms') > 0 ? column('p99_ms') : NaN) with lines lw 2 lc rgb '#0072b2' title 'global: uniform', \
     'locks-timeline.csv' every ::37::73 using (column('second')):(column('p99_ms') > 0 ? column('p99_ms') : NaN) with lines lw 2 lc rgb '#e69f00' title 'global: hot accounts', \
     'locks-timeline.csv' every ::74::110 using (column('second')):(column('p99_ms') > 0 ? column('p99_ms') : NaN) with lines lw 2 lc rgb '#009e73' title 'account: uniform', \
     'locks-timeline.csv' every ::111::147 using (column('second')):(column('p99_ms') > 0 ? column('p99_ms') : NaN) with lines lw 2 lc rgb '#d55e00' title 'account: hot accounts'

set title 'Waiting for locks'
set xlabel 'time, s'
set ylabel 'ms a second, all workers'
unset logscale
set xrange [0:3.6]
set yrange [0:327.682544]
set xtics ('0' 0, '1' 1, '2' 2, '3' 3)
set ytics ('0' 0, '50' 50, '100' 100, '150' 150, '200' 200, '250' 250, '300' 300)
unset arrow
unset label
set key
plot 'locks-timeline.csv' every ::0::36 using (column('second')):(column('lock_wait_ms_per_s')) with lines lw 2 lc rgb '#0072b2' title 'global: uniform', \
     'locks-timeline.csv' every ::37::73 using (column('second')):(column('lock_wait_ms_per_s')) with lines lw 2 lc rgb '#e69f00' title 'global: hot accounts', \
     'locks-timeline.csv' every ::74::110 using (column('second')):(column('lock_wait_ms_per_s')) with lines lw 2 lc rgb '#009e73' title 'account: uniform', \
     'locks-timeline.csv' every ::111::147 using (column('second')):(column('lock_wait_ms_per_s')) with lines lw 2 lc rgb '#d55e00' title 'account: hot accounts'
unset multiplot
