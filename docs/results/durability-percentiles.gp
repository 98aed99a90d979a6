# Draws durability-percentiles-gnuplot.svg from durability-percentiles.csv, which lies beside it: gnuplot durability-percentiles.gp
set datafile separator comma
set datafile columnheaders
set terminal svg size 854,421 font 'Liberation Sans,11' background rgb 'white'
set output 'durability-percentiles-gnuplot.svg'
set multiplot layout 1,1 title 'Durability: none, async, sync: distribution of latencies' font ',14'
set style fill solid
set grid ytics lc rgb '#e4e4e4'
set border 3
set tics nomirror out
set key outside top center horizontal

set title ''
set xlabel 'share of the requests that took no longer'
set ylabel 'latency, ms'
unset logscale
set xrange [1:182587.6414]
set yrange [0.05:200]
set logscale x 10
set logscale y 10
set xtics ('0 %%' 1, '50 %%' 2, '90 %%' 10, '99 %%' 100, '99.9 %%' 1000, '99.99 %%' 10000, '99.999 %%' 100000)
set ytics ('0.1' 0.1, '1' 1, '10' 10, '100' 100)
unset arrow
unset label
set key
plot 'durability-percentiles.csv' every ::0::163 using (column('one_in')):(column('latency_ms') > 0 ? column('latency_ms') : NaN) with lines lw 2 lc rgb '#0072b2' title 'none', \
     'durability-percentiles.csv' every ::164::301 using (column('one_in')):(column('latency_ms') > 0 ? column('latency_ms') : NaN) with lines lw 2 lc rgb '#e69f00' title 'async', \
     'durability-percentiles.csv' every ::302::446 using (column('one_in')):(column('latency_ms') > 0 ? column('latency_ms') : NaN) with lines lw 2 lc rgb '#009e73' title 'sync'
unset multiplot
