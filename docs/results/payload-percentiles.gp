# Draws payload-percentiles-gnuplot.svg from payload-percentiles.csv, which lies beside it: gnuplot payload-percentiles.gp
set datafile separator comma
set datafile columnheaders
set terminal svg size 854,421 font 'Liberation Sans,11' background rgb 'white'
set output 'payload-percentiles-gnuplot.svg'
set multiplot layout 1,1 title 'Payload: 32 B, 256 B, 1 KiB: distribution of latencies' font ',14'
set style fill solid
set grid ytics lc rgb '#e4e4e4'
set border 3
set tics nomirror out
set key outside top center horizontal

set title ''
set xlabel 'share of the requests that took no longer'
set ylabel 'latency, ms'
unset logscale
set xrange [1:250000]
set yrange [0.2:50]
set logscale x 10
set logscale y 10
set xtics ('0 %%' 1, '50 %%' 2, '90 %%' 10, '99 %%' 100, '99.9 %%' 1000, '99.99 %%' 10000, '99.999 %%' 100000)
set ytics ('1' 1, '10' 10)
unset arrow
unset label
set key
plot 'payload-percentiles.csv' every ::0::158 using (column('one_in')):(column('latency_ms') > 0 ? column('latency_ms') : NaN) with lines lw 2 lc rgb '#0072b2' title '32 B', \
     'payload-percentiles.csv' every ::159::319 using (column('one_in')):(column('latency_ms') > 0 ? column('latency_ms') : NaN) with lines lw 2 lc rgb '#e69f00' title '256 B', \
     'payload-percentiles.csv' every ::320::473 using (column('one_in')):(column('latency_ms') > 0 ? column('latency_ms') : NaN) with lines lw 2 lc rgb '#009e73' title '1 KiB'
unset multiplot
