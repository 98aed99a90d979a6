#!/usr/bin/env bash
# Fails with a clear message unless the Go command ($1) is there and new enough for go.work.
set -euo pipefail

go=${1:-go}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
need=$(awk '$1 == "go" { print $2 }' "$root/go.work")

if ! command -v "$go" >/dev/null 2>&1; then
  echo "tradechat needs Go $need or newer, but there is no command '$go'. Install Go, put it on PATH, or set GO=/path/to/go." >&2
  exit 1
fi

# Inside the tree a Go that may fetch a newer toolchain does so; one that may not says nothing here.
have=$(cd "$root" && "$go" env GOVERSION 2>/dev/null) || have=$(cd / && "$go" env GOVERSION 2>/dev/null) || have=
have=${have#go}
have=${have%% *}
if [ "$(printf '%s\n' "$need" "$have" | sort -V | head -n 1)" != "$need" ]; then
  echo "tradechat needs Go $need or newer; '$go' is ${have:-of an unknown version}. Install a newer Go, or set GO=/path/to/go." >&2
  exit 1
fi
