# Draws workers-gnuplot.svg from workers.csv, which lies beside it: gnuplot workers.gp
set datafile separator comma
set datafile columnheaders
set terminal svg size 854,334 font 'Liberation Sans,11' background rgb 'white'
set output 'workers-gnuplot.svg'
set multiplot layout 1,2 title 'Workers: 1, 2, 4, 8' font ',14'
set style fill solid
set grid ytics lc rgb '#e4e4e4'
set border 3
set tics nomirror out
set key outside top center horizontal

set title 'Throughput'
set xlabel 'workers'
set ylabel 'requests a second'
unset logscale
set xrange [-0.5:3.5]
set yrange [0:56578.53409600001]
set xtics ('1' 0, '2' 1, '4' 2, '8' 3)
set ytics ('0' 0, '10k' 10000, '20k' 20000, '30k' 30000, '40k' 40000, '50k' 50000)
unset arrow
unset label
unset key
plot 'workers.csv' every ::0::3 using (column('place') + 0):(column('req_per_s')):(0.73) with boxes lc rgb '#0072b2' title 'requests', \
     'workers.csv' every ::0::3 using (column('place') + 0):(column('req_per_s')):(column('req_per_s_min')):(column('req_per_s_max')) with yerrorbars pt 0 lc rgb '#222222' notitle

set title 'Latency'
set xlabel 'workers'
set ylabel 'latency, ms'
unset logscale
set xrange [-0.5:3.5]
set yrange [1:20]
set logscale y 10
set xtics ('1' 0, '2' 1, '4' 2, '8' 3)
set ytics ('1' 1, '2' 2, '5' 5, '10' 10, '20' 20)
unset arrow
unset label
set key
plot 'workers.csv' every ::0::3 using (column('place')):(column('p50_ms') > 0 ? column('p50_ms') : NaN) with linespoints lw 2 pt 7 ps 0.7 lc rgb '#009e73' title 'p50', \
     'workers.csv' every ::0::3 using (column('place')):(column('p95_ms') > 0 ? column('p95_ms') : NaN) with linespoints lw 2 pt 7 ps 0.7 lc rgb '#0072b2' title 'p95', \
     'workers.csv' every ::0::3 using (column('place')):(column('p99_ms') > 0 ? column('p99_ms') : NaN) with linespoints lw 2 pt 7 ps 0.7 lc rgb '#e69f00' title 'p99', \
     'workers.csv' every ::0::3 using (column('place')):(column('p999_ms') > 0 ? column('p999_ms') : NaN) with linespoints lw 2 pt 7 ps 0.7 lc rgb '#d55e00' title 'p99.9'
unset multiplot
