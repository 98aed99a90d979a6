#!/usr/bin/env bash
# Makes sure that programs are there: need.sh PROGRAM[=PACKAGE]... PACKAGE is what Debian and Ubuntu call it, PROGRAM itself unless
# given. What is missing is installed where that can be done (root, apt-get); else it is named, and the exit code is 1.
set -euo pipefail

packages=()
missing=()
look() {
    missing=()
    packages=()
    for need in "$@"; do
        command -v "${need%%=*}" >/dev/null && continue
        missing+=("${need%%=*}")
        packages+=("${need#*=}")
    done
}

look "$@"
[ ${#missing[@]} -gt 0 ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    { apt-get update && apt-get install -y --no-install-recommends "${packages[@]}"; } >&2 || true
    look "$@"
    [ ${#missing[@]} -gt 0 ] || exit 0
fi
echo "need: ${missing[*]} not installed → install it (Debian and Ubuntu: apt-get install ${packages[*]})" >&2
exit 1
