#!/usr/bin/env bash
# Checks the model of commit and repair (shmstore/model/ledger.pml) with spin: every interleaving of every kill, and then each of
# the model's mistakes, which must be found. Prints what it explored; fails if the model is wrong, or if a mistake is not found.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
model=$PWD/shmstore/model/ledger.pml

memory_mib=${MODEL_MEMORY_MIB:-8000}

scripts/need.sh spin gcc

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# check DEFINES...: explores the model; spin's report is left in the file report.
check() {
    rm -f pan pan.* ledger.pml.trail
    cp "$model" .
    spin "$@" -a ledger.pml >spin.out 2>&1 || { cat spin.out >&2; exit 1; }
    gcc -O2 -DSAFETY -DCOLLAPSE "-DMEMLIM=$memory_mib" -o pan pan.c
    ./pan -m1000000 -w25 >report 2>&1 || true
    if grep -q -e 'max search depth too small' -e 'out of memory' -e 'reached -DMEMLIM' report; then
        cat report >&2
        echo "model: $*: not all of it was explored; MODEL_MEMORY_MIB=$memory_mib was the limit" >&2
        exit 1
    fi
    states=$(awk '/states, stored/ {print $1}' report)
    seconds=$(awk '/elapsed time/ {print $4}' report)
    errors=$(sed -n 's/.*errors: \([0-9]*\).*/\1/p' report)
}

failed=0
row='%-70s %12s %10s  %s\n'
printf "$row" explored states seconds outcome
whole() {
    local what=$1
    shift
    check "$@"
    if [ "$errors" = 0 ]; then
        printf "$row" "$what" "$states" "$seconds" 'all of it holds'
    else
        printf "$row" "$what" "$states" "$seconds" "WRONG: $(grep -m1 '^pan:1:' report)"
        failed=1
    fi
}
whole '2 transactions, 2 kills of workers, 1 of the master' -DREQUESTS_0=1 -DREQUESTS_1=1 -DKILLS=2 -DMASTER_KILLS=1
whole '3 transactions, 1 kill of a worker, 1 of the master' -DREQUESTS_0=2 -DREQUESTS_1=1 -DKILLS=1 -DMASTER_KILLS=1
whole '3 transactions in a ring of 2, 1 kill of a worker, 1 of the master' -DREQUESTS_0=2 -DREQUESTS_1=1 -DKILLS=1 -DMASTER_KILLS=1 -DCAPACITY=2

echo
printf "$row" mistake states seconds 'found as'
while read -r _ name number _; do
    capacity=3
    case $name in OVERWRITES_*) capacity=2 ;; esac # three records do not come round a larger ring
    check -DREQUESTS_0=2 -DREQUESTS_1=1 -DKILLS=1 -DMASTER_KILLS=1 "-DCAPACITY=$capacity" "-DMISTAKE=$number"
    if [ "$errors" = 0 ]; then
        printf "$row" "$name" "$states" "$seconds" 'NOT FOUND'
        failed=1
    elif grep -q '^pan:1: invalid end state' report; then
        printf "$row" "$name" "$states" "$seconds" 'a deadlock'
    else
        printf "$row" "$name" "$states" "$seconds" "$(sed -n 's/^pan:1: assertion violated \(.*\) (at depth.*/\1/p' report)"
    fi
done < <(sed -n '/^#define NO_MISTAKE/,/^#ifndef MISTAKE/p' "$model" | grep '^#define' | grep -v NO_MISTAKE)

exit "$failed"
