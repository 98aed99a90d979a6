#!/usr/bin/env bash
# Runs what takes too long for every change, one layer after the other, and goes on after a failure: nightly.sh [LAYER...]
# where LAYER is race, fuzz, crash, mutants, model, durability or chaos (all, if none is named). MAKE is the make command, LOGS the
# folder for one log file a layer (nightly/). Prints a table at the end; its exit code is the highest of the layers'.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

make=${MAKE:-make}
logs=${LOGS:-nightly}
all=(race fuzz crash mutants model durability chaos)
[ $# -gt 0 ] || set -- "${all[@]}"
for layer in "$@"; do
    [[ " ${all[*]} " == *" $layer "* ]] || { echo "nightly: there is no layer \"$layer\" → one of: ${all[*]}" >&2; exit 2; }
done

# The model needs a program that few machines have.
if [[ " $* " == *" model "* ]]; then
    scripts/need.sh spin || echo "nightly: the layer model will fail without spin" >&2
fi

mkdir -p "$logs"
worst=0
table=$(printf '%-11s %-14s %9s  %s' layer result seconds log)
for layer in "$@"; do
    log=$logs/$layer.log
    echo "nightly: $layer, into $log"
    began=$SECONDS
    code=0
    "$make" "$layer" </dev/null >"$log" 2>&1 || code=$?
    result=ok
    if [ "$code" != 0 ]; then
        result="failed ($code)"
        worst=$((code > worst ? code : worst))
        tail -n 20 "$log" | sed 's/^/    /'
    fi
    table+=$'\n'$(printf '%-11s %-14s %9d  %s' "$layer" "$result" $((SECONDS - began)) "$log")
done
printf '\n%s\n' "$table"
exit "$worst"
