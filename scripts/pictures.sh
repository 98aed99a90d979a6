#!/usr/bin/env bash
# Runs the demo and keeps what it printed (server start, load in progress, metrics, audit, verdict): pictures.sh FOLDER.
# Writes demo.txt and, where Chromium is installed, a picture of each of its parts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=$1
mkdir -p "$out"

bin/tradechat-proof demo >"$out/demo.txt" 2>&1

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [ -z "$browser" ]; then
    echo "pictures: no Chromium: $out/demo.txt alone (Debian and Ubuntu: apt-get install chromium)" >&2
    exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The parts begin with lines such as "── Stop ──".
awk -v work="$work" '/^── .* ──$/ { n++ } n { print > sprintf("%s/%02d.txt", work, n) }' "$out/demo.txt"

for part in "$work"/*.txt; do
    name=$(sed -n '1s/^── \([A-Za-z]*\).*/\1/p' "$part" | tr 'A-Z' 'a-z')
    lines=$(fold -w 150 "$part" | wc -l)
    {
        echo '<meta charset="utf-8"><style>body{margin:0;background:#14181f;color:#d8dee9}'
        echo 'pre{margin:16px 20px;font:14px/20px "DejaVu Sans Mono","Liberation Mono",monospace;white-space:pre}</style><pre>'
        fold -w 150 "$part" | sed 's/&/\&amp;/g; s/</\&lt;/g'
        echo '</pre>'
    } >"$work/page.html"
    "$browser" --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update \
        --disable-sync --hide-scrollbars --user-data-dir="$work/profile" --window-size="1320,$((lines * 20 + 40))" \
        --screenshot="$PWD/$out/demo-$name.png" "file://$work/page.html" >"$work/browser.log" 2>&1 ||
        { cat "$work/browser.log" >&2; exit 1; }
    echo "pictures: $out/demo-$name.png"
done
