#!/usr/bin/env bash
# Runs every fuzz target of the given packages for a while each: fuzz.sh TIME PACKAGE...
# Stops at the first that fails; Go leaves the failing input in the package's testdata/fuzz.
#
# Inputs are made smaller in a bounded number of runs: by default Go takes up to a minute for each that reaches new code, and those of
# live servers reach the same code in another order every time.
set -euo pipefail

go=${GO:-go}
time=$1
shift

# `go test -list` prints a package's targets, then a line "ok <package> <time>".
list=$("$go" test -list '^Fuzz' "$@")
targets=$(awk '/^Fuzz/ { names[++n] = $1 } $1 == "ok" { for (i = 1; i <= n; i++) print $2, names[i]; n = 0 }' <<<"$list")
if [ -z "$targets" ]; then
  echo "no fuzz targets in $*" >&2
  exit 1
fi

while read -r package name; do
  echo "fuzz $package $name for $time"
  "$go" test -run '^$' -fuzz "^$name\$" -fuzztime "$time" -fuzzminimizetime 50x "$package" </dev/null
done <<<"$targets"
echo "fuzzed $(wc -l <<<"$targets") targets for $time each"
