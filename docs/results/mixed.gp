# Draws mixed-gnuplot.svg from mixed.csv, which lies beside it: gnuplot mixed.gp
set datafile separator comma
set datafile columnheaders
set terminal svg size 854,613 font 'Liberation Sans,11' background rgb 'white'
set output 'mixed-gnuplot.svg'
set multiplot layout 2,1 title 'Mixed load' font ',14'
set style fill solid
set grid ytics lc rgb '#e4e4e4'
set border 3
set tics nomirror out
set key outside top center horizontal

set title 'Throughput'
set xlabel 'kind of request'
set ylabel 'requests a second'
unset logscale
set xrange [-0.5:6.5]
set yrange [0:48092.661008]
set xtics ('all' 0, 'balance' 1, 'chat send' 2, 'deposit' 3, 'heartbeat' 4, 'transfer' 5, 'withdraw' 6)
set ytics ('0' 0, '10k' 10000, '20k' 20000, '30k' 30000, '40k' 40000)
unset arrow
unset label
unset key
plot 'mixed.csv' every ::0::6 using (column('place') + 0):(column('req_per_s')):(0.73) with boxes lc rgb '#0072b2' title 'requests'

set title 'Latency'
set xlabel 'kind of request'
set ylabel 'latency, ms'
unset logscale
set xrange [-0.5:6.5]
set yrange [1:20]
set logscale y 10
set xtics ('all' 0, 'balance' 1, 'chat send' 2, 'deposit' 3, 'heartbeat' 4, 'transfer' 5, 'withdraw' 6)
set ytics ('1' 1, '2' 2, '5' 5, '10' 10, '20' 20)
unset arrow
unset label
set key
plot 'mixed.csv' every ::0::6 using (column('place')):(column('p50_ms') > 0 ? column('p50_ms') : NaN) with linespoints lw 2 pt 7 ps 0.7 lc rgb '#009e73' title 'p50', \
     'mixed.csv' every ::0::6 using (column('place')):(column('p95_ms') > 0 ? column('p95_ms') : NaN) with linespoints lw 2 pt 7 ps 0.7 lc rgb '#0072b2' title 'p95', \
     'mixed.csv' every ::0::6 using (column('place')):(column('p99_ms') > 0 ? column('p99_ms') : NaN) with linespoints lw 2 pt 7 ps 0.7 lc rgb '#e69f00' title 'p99', \
     'mixed.csv' every ::0::6 using (column('place')):(column('p999_ms') > 0 ? column('p999_ms') : NaN) with linespoints lw 2 pt 7 ps 0.7 lc rgb '#d55e00' title 'p99.9'
unset multiplot
