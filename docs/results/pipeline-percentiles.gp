# Draws pipeline-percentiles-gnuplot.svg from pipeline-percentiles.csv, which lies beside it: gnuplot pipeline-percentiles.gp
set datafile separator comma
set datafile columnheaders
set terminal svg size 854,421 font 'Liberation Sans,11' background rgb 'white'
set output 'pipeline-percentiles-gnuplot.svg'
set multiplot layout 1,1 title 'Pipelines and batches: distribution of latencies' font ',14'
set style fill solid
set grid ytics lc rgb '#e4e4e4'
set border 3
set tics nomirror out
set key outside top center horizontal

set title ''
set xlabel 'share of the requests that took no longer'
set ylabel 'latency, ms'
unset logscale
set xrange [1:200000]
set yrange [0.5:100]
set logscale x 10
set logscale y 10
set xtics ('0 %%' 1, '50 %%' 2, '90 %%' 10, '99 %%' 100, '99.9 %%' 1000, '99.99 %%' 10000, '99.999 %%' 100000)
set ytics ('1' 1, '10' 10, '100' 100)
unset arrow
unset label
set key
plot 'pipeline-percentiles.csv' every ::0::87 using (column('one_in')):(column('latency_ms') > 0 ? column('latency_ms') : NaN) with lines lw 2 lc rgb '#0072b2' title 'depth: 1', \
     'pipeline-percentiles.csv' every ::88::175 using (column('one_in')):(column('latency_ms') > 0 ? column('latency_ms') : NaN) with lines lw 2 lc rgb '#e69f00' title 'depth: 4', \
     'pipeline-percentiles.csv' every ::176::262 using (column('one_in')):(column('latency_ms') > 0 ? column('latency_ms') : NaN) with lines lw 2 lc rgb '#009e73' title 'depth: 16', \
     'pipeline-percentiles.csv' every ::263::344 using (column('one_in')):(column('latency_ms') > 0 ? column('latency_ms') : NaN) with lines lw 2 lc rgb '#d55e00' title 'depth: 64', \
     'pipeline-percentiles.csv' every ::345::428 using (column('one_in')):(column('latency_ms') > 0 ? column('latency_ms') : NaN) with lines lw 2 lc rgb '#cc79a7' title 'batch: 1', \
     'pipeline-percentiles.csv' every ::429::517 using (column('one_in')):(column('latency_ms') > 0 ? column('latency_ms') : NaN) with lines lw 2 lc rgb '#56b4e9' title 'batch: 4', \
     'pipeline-percentiles.csv' every ::518::605 using (column('one_in')):(column('latency_ms') > 0 ? column('latency_ms') : NaN) with lines lw 2 lc rgb '#333333' title 'batch: 16', \
     'pipeline-percentiles.csv' every ::606::683 using (column('one_in')):(column('latency_ms') > 0 ? column('latency_ms') : NaN) with lines lw 2 lc rgb '#c8b900' title 'batch: 64', \
     'pipeline-percentiles.csv' every ::684::759 using (column('one_in')):(column('latency_ms') > 0 ? column('latency_ms') : NaN) with lines lw 2 lc rgb '#8c564b' title 'batch: 256', \
     'pipeline-percentiles.csv' every ::760::825 using (column('one_in')):(column('latency_ms') > 0 ? column('latency_ms') : NaN) with lines lw 2 lc rgb '#999999' title 'batch: 1024'
unset multiplot
