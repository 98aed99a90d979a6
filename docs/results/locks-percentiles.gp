# Draws locks-percentiles-gnuplot.svg from locks-percentiles.csv, which lies beside it: gnuplot locks-percentiles.gp
set datafile separator comma
set datafile columnheaders
set terminal svg size 854,421 font 'Liberation Sans,11' background rgb 'white'
set output 'locks-percentiles-gnuplot.svg'
set multiplot layout 1,1 title 'Lock granularity: one lock for all accounts, and one for each: distribution of latencies' font ',14'
set style fill solid
set grid ytics lc rgb '#e4e4e4'
set border 3
set tics nomirror out
set key outside top center horizontal

set title ''
set xlabel 'share of the requests that took no longer'
set ylabel 'latency, ms'
unset logscale
set xrange [1:288885.2538]
set yrange [0.1:50]
set logscale x 10
set logscale y 10
set xtics ('0 %%' 1, '50 %%' 2, '90 %%' 10, '99 %%' 100, '99.9 %%' 1000, '99.99 %%' 10000, '99.999 %%' 100000)
set ytics ('0.1' 0.1, '1' 1, '10' 10)
unset arrow
unset label
set key
plot 'locks-percentiles.csv' every ::0::142 using (column('one_in')):(column('latency_ms') > 0 ? column('latency_ms') : NaN) with lines lw 2 lc rgb '#0072b2' title 'global: uniform', \
     'locks-percentiles.csv' every ::143::295 using (column('one_in')):(column('latency_ms') > 0 ? column('latency_ms') : NaN) with lines lw 2 lc rgb '#e69f00' title 'global: hot accounts', \
     'locks-percentiles.csv' every ::296::447 using (column('one_in')):(column('latency_ms') > 0 ? column('latency_ms') : NaN) with lines lw 2 lc rgb '#009e73' title 'account: uniform', \
     'locks-percentiles.csv' every ::448::582 using (column('one_in')):(column('latency_ms') > 0 ? column('latency_ms') : NaN) with lines lw 2 lc rgb '#d55e00' title 'account: hot accounts'
unset multiplot
