# Draws pipeline-gnuplot.svg from pipeline.csv, which lies beside it: gnuplot pipeline.gp
set datafile separator comma
set datafile columnheaders
set terminal svg size 854,613 font 'Liberation Sans,11' background rgb 'white'
set output 'pipeline-gnuplot.svg'
set multiplot layout 2,2 title 'Pipelines and batches' font ',14'
set style fill solid
set grid ytics lc rgb '#e4e4e4'
set border 3
set tics nomirror out
set key outside top center horizontal

set title 'Pipeline'
set xlabel 'requests under way on a connection'
set ylabel 'requests a second'
unset logscale
set xrange [-0.5:3.5]
set yrange [0:1.747802259504e+06]
set xtics ('1' 0, '4' 1, '16' 2, '64' 3)
set ytics ('0' 0, '500k' 500000, '1M' 1e+06, '1.5M' 1.5e+06)
unset arrow
unset label
unset key
plot 'pipeline.csv' every ::0::3 using (column('place') + 0):(column('req_per_s')):(0.73) with boxes lc rgb '#0072b2' title 'requests', \
     'pipeline.csv' every ::0::3 using (column('place') + 0):(column('req_per_s')):(column('req_per_s_min')):(column('req_per_s_max')) with yerrorbars pt 0 lc rgb '#222222' notitle

set title 'Batches'
set xlabel 'transfers of a batch'
set ylabel 'transfers a second'
unset logscale
set xrange [-0.5:5.5]
set yrange [0:3.4421008538560006e+06]
set xtics ('1' 0, '4' 1, '16' 2, '64' 3, '256' 4, '1024' 5)
set ytics ('0' 0, '500k' 500000, '1M' 1e+06, '1.5M' 1.5e+06, '2M' 2e+06, '2.5M' 2.5e+06, '3M' 3e+06)
unset arrow
unset label
unset key
plot 'pipeline.csv' every ::4::9 using (column('place') + 0):(column('legs_per_s')):(0.73) with boxes lc rgb '#009e73' title 'requests'

set title 'Latency of a request'
set xlabel 'requests under way on a connection'
set ylabel 'latency, ms'
unset logscale
set xrange [-0.5:3.5]
set yrange [1:20]
set logscale y 10
set xtics ('1' 0, '4' 1, '16' 2, '64' 3)
set ytics ('1' 1, '2' 2, '5' 5, '10' 10, '20' 20)
unset arrow
unset label
set key
plot 'pipeline.csv' every ::0::3 using (column('place')):(column('p50_ms') > 0 ? column('p50_ms') : NaN) with linespoints lw 2 pt 7 ps 0.7 lc rgb '#009e73' title 'p50', \
     'pipeline.csv' every ::0::3 using (column('place')):(column('p95_ms') > 0 ? column('p95_ms') : NaN) with linespoints lw 2 pt 7 ps 0.7 lc rgb '#0072b2' title 'p95', \
     'pipeline.csv' every ::0::3 using (column('place')):(column('p99_ms') > 0 ? column('p99_ms') : NaN) with linespoints lw 2 pt 7 ps 0.7 lc rgb '#e69f00' title 'p99', \
     'pipeline.csv' every ::0::3 using (column('place')):(column('p999_ms') > 0 ? column('p999_ms') : NaN) with linespoints lw 2 pt 7 ps 0.7 lc rgb '#d55e00' title 'p99.9'

set title 'Latency of a batch'
set xlabel 'transfers of a batch'
set ylabel 'latency, ms'
unset logscale
set xrange [-0.5:5.5]
set yrange [1:100]
set logscale y 10
set xtics ('1' 0, '4' 1, '16' 2, '64' 3, '256' 4, '1024' 5)
set ytics ('1' 1, '2' 2, '5' 5, '10' 10, '20' 20, '50' 50, '100' 100)
unset arrow
unset label
set key
plot 'pipeline.csv' every ::4::9 using (column('place')):(column('p50_ms') > 0 ? column('p50_ms') : NaN) with linespoints lw 2 pt 7 ps 0.7 lc rgb '#009e73' title 'p50', \
     'pipeline.csv' every ::4::9 using (column('place')):(column('p95_ms') > 0 ? column('p95_ms') : NaN) with linespoints lw 2 pt 7 ps 0.7 lc rgb '#0072b2' title 'p95', \
     'pipeline.csv' every ::4::9 using (column('place')):(column('p99_ms') > 0 ? column('p99_ms') : NaN) with linespoints lw 2 pt 7 ps 0.7 lc rgb '#e69f00' title 'p99', \
     'pipeline.csv' every ::4::9 using (column('place')):(column('p999_ms') > 0 ? column('p999_ms') : NaN) with linespoints lw 2 pt 7 ps 0.7 lc rgb '#d55e00' title 'p99.9'
unset multiplot
