#!/usr/bin/env bash
# Copies of measured results what the pages show: results-pages.sh FROM TO. For each picture that a page of TO, or results.md of FROM, shows:
# its SVG, PNG and CSV; and results.md, demo.txt and the demo's pictures. TO loses the pictures and tables that no page shows any more.
set -euo pipefail
from=${1:?usage: results-pages.sh FROM TO}
to=${2:?usage: results-pages.sh FROM TO}
[ -f "$from/results.md" ] || { echo "results-pages: there is no $from/results.md → run make results first" >&2; exit 1; }
mkdir -p "$to"
cp "$from/results.md" "$to/"
[ ! -f "$from/demo.txt" ] || cp "$from"/demo.txt "$from"/demo-*.png "$to/"

# What is shown, by name without its ending.
shown=$(grep -ohE '\]\(([^)]*/)?[a-z0-9-]+\.(svg|png|csv)\)' "$to"/*.md README.md docs/*.md bench/README.md | sed -E 's#.*[(/]([a-z0-9-]+)\.[a-z]+\)#\1#' | sort -u)
for name in $shown; do
  for file in "$from/$name".{svg,png,csv}; do
    [ ! -f "$file" ] || cp "$file" "$to/"
  done
done
for file in "$to"/*; do
  name=$(basename "$file")
  case $name in
    *.md | *.txt | demo-*.png) ;;
    *.svg | *.png | *.csv) grep -qxF "${name%.*}" <<<"$shown" || rm "$file" ;;
    *) rm "$file" ;;
  esac
done
