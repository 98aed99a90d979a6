#!/usr/bin/env bash
# Builds the C libraries: c-libs.sh OUT [NAME...], where NAME is libproto, libnet, liblog or libtradechat (all, if none is
# named). Makes OUT/NAME.a, OUT/NAME.so and what the .so is called at run time. GO is the go command, CC the compiler;
# GOFLAGS_EXTRA goes to go build as well (-asan). Needs gcc, ld, objcopy, ar.
set -euo pipefail

go=${GO:-go}
cc=${CC:-gcc}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
out=${1:?usage: c-libs.sh OUT [NAME...]}
shift
[ $# -gt 0 ] || set -- libproto libnet liblog libtradechat
abi=$(awk '$2 == "TC_PROTO_VERSION_MAJOR" { print $3 }' "$root/include/tradechat/proto.h")
mkdir -p "$out"
out=$(cd "$out" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for tool in "$cc" ld objcopy ar; do
  command -v "$tool" >/dev/null 2>&1 || { echo "c-libs: there is no $tool: install gcc and binutils" >&2; exit 1; }
done

# The same tags for all of them, so that the packages are compiled once. netgo, osusergo: no name service of the C library,
# which a static library would have to load at run time.
build() { # MODE OUTPUT NAME LDFLAGS
  (cd "$root/$3" && CGO_ENABLED=1 CC=$cc "$go" build -trimpath -buildvcs=false -tags netgo,osusergo ${GOFLAGS_EXTRA:-} \
    -buildmode="$1" -o "$2" -ldflags "-s -w $4" "./cmd/$3")
}

for name in "$@"; do
  case $name in
    libproto | libnet | liblog) symbols="tc_${name#lib}_*"; soname=libtradechat-${name#lib}.so.$abi ;;
    libtradechat) symbols='tc_*'; soname=libtradechat.so.$abi ;;
    *) echo "c-libs: no library $name" >&2; exit 2 ;;
  esac

  # The map gives the public symbols their version and hides everything else.
  echo "${name^^}_$abi { global: $symbols; local: *; };" >"$work/$name.map"
  build c-shared "$work/$name.so" "$name" \
    "-extldflags '-Wl,-soname,$soname -Wl,--version-script=$work/$name.map -Wl,-z,relro,-z,now -Wl,-z,noexecstack'"
  mv "$work/$name.so" "$out/$soname"
  ln -sf "$soname" "$out/$name.so"

  # Two Go archives define the same symbols, and one of them alone takes names such as fatalf from the program. So all
  # objects become one (-d: its common symbols, too, get a place of their own), which keeps only the public names.
  build c-archive "$work/$name.a" "$name" ""
  ld -r -d --whole-archive "$work/$name.a" -o "$work/$name.o"
  objcopy --strip-debug --wildcard --keep-global-symbol="$symbols" "$work/$name.o"
  rm -f "$out/$name.a"
  ar rcsD "$out/$name.a" "$work/$name.o"
done
