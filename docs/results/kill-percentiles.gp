# Draws kill-percentiles-gnuplot.svg from kill-percentiles.csv, which lies beside it: gnuplot kill-percentiles.gp
set datafile separator comma
set datafile columnheaders
set terminal svg size 854,421 font 'Liberation Sans,11' background rgb 'white'
set output 'kill-percentiles-gnuplot.svg'
set multiplot layout 1,1 title 'A worker is killed: distribution of latencies' font ',14'
set style fill solid
set grid ytics lc rgb '#e4e4e4'
set border 3
set tics nomirror out
set key outside top center horizontal

set title ''
set xlabel 'share of the requests that took no longer'
set ylabel 'latency, ms'
unset logscale
set xrange [1:1e+06]
set yrange [0.2:100]
set logscale x 10
set logscale y 10
set xtics ('0 %%' 1, '50 %%' 2, '90 %%' 10, '99 %%' 100, '99.9 %%' 1000, '99.99 %%' 10000, '99.999 %%' 100000, '99.9999 %%' 1e+06)
set ytics ('1' 1, '10' 10, '100' 100)
unset arrow
unset label
unset key
plot 'kill-percentiles.csv' every ::0::101 using (column('one_in')):(column('latency_ms') > 0 ? column('latency_ms') : NaN) with lines lw 2 lc rgb '#0072b2' title 'a worker killed'
unset multiplot
