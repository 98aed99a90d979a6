# Draws contention-percentiles-gnuplot.svg from contention-percentiles.csv, which lies beside it: gnuplot contention-percentiles.gp
set datafile separator comma
set datafile columnheaders
set terminal svg size 854,421 font 'Liberation Sans,11' background rgb 'white'
set output 'contention-percentiles-gnuplot.svg'
set multiplot layout 1,1 title 'Contention: 200 connections against 100: distribution of latencies' font ',14'
set style fill solid
set grid ytics lc rgb '#e4e4e4'
set border 3
set tics nomirror out
set key outside top center horizontal

set title ''
set xlabel 'share of the requests that took no longer'
set ylabel 'latency, ms'
unset logscale
set xrange [1:219403.2947]
set yrange [0.05:50]
set logscale x 10
set logscale y 10
set xtics ('0 %%' 1, '50 %%' 2, '90 %%' 10, '99 %%' 100, '99.9 %%' 1000, '99.99 %%' 10000, '99.999 %%' 100000)
set ytics ('0.1' 0.1, '1' 1, '10' 10)
unset arrow
unset label
set key
plot 'contention-percentiles.csv' every ::0::164 using (column('one_in')):(column('latency_ms') > 0 ? column('latency_ms') : NaN) with lines lw 2 lc rgb '#0072b2' title '100', \
     'contention-percentiles.csv' every ::165::321 using (column('one_in')):(column('latency_ms') > 0 ? column('latency_ms') : NaN) with lines lw 2 lc rgb '#e69f00' title '200'
unset multiplot
