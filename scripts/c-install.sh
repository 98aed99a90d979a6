#!/usr/bin/env bash
# Installs the C libraries that c-libs.sh has built, or removes them: c-install.sh install|uninstall LIB
# where LIB is the folder they were built into. PREFIX, LIBDIR, INCLUDEDIR, MANDIR and DESTDIR say where to.
#
#   LIBDIR/libtradechat*.so.0 -> libtradechat*.so.0.1.0   what programs load
#   LIBDIR/libtradechat.{a,so}                            what programs link: all in one
#   LIBDIR/tradechat/lib{proto,net,log}.{a,so}            ... or one alone; apart, because other packages have a libnet
#   LIBDIR/pkgconfig/tradechat*.pc, INCLUDEDIR/tradechat/*.h, MANDIR/man3/tradechat-proto.3
set -euo pipefail

action=${1:-}
built=${2:-}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
prefix=${PREFIX:-/usr/local}
libdir=${LIBDIR:-$prefix/lib}
includedir=${INCLUDEDIR:-$prefix/include}
mandir=${MANDIR:-$prefix/share/man}
to=${DESTDIR:-}

# pkg-config reads these paths with a shell's rules: blanks are kept by the quotes in pc(), the rest could not be.
for path in "$prefix" "$libdir" "$includedir"; do
  case $path in
    /*) ;;
    *) echo "c-install: \"$path\" is not an absolute path → give one as PREFIX, LIBDIR or INCLUDEDIR" >&2; exit 2 ;;
  esac
  if [[ $path == *[[:cntrl:]\"\'\`\\\$#%]* ]]; then
    printf 'c-install: %q has a character that a pkg-config file cannot hold → choose a path without quotes, \\ $ # %% `\n' "$path" >&2
    exit 2
  fi
done

number() { awk -v n="TC_PROTO_VERSION_$1" '$2 == n { print $3 }' "$root/include/tradechat/proto.h"; }
abi=$(number MAJOR)
version=$abi.$(number MINOR).$(number PATCH)

libraries=(proto net log)
headers=("${libraries[@]/%/.h}")

pc() { # NAME DESCRIPTION LIBS ARCHIVE
  cat <<END
prefix=$prefix
libdir=${libdir/#"$prefix"/\$\{prefix\}}
includedir=${includedir/#"$prefix"/\$\{prefix\}}
archive=\${libdir}/$4

Name: $1
Description: $2
Version: $version
Cflags: -I"\${includedir}"
Libs: $3
Libs.private: -lpthread
END
}

install_library() { # NAME RUN-TIME-NAME FOLDER UP, where UP leads from the folder to LIBDIR
  install -m 0755 "$built/$2.so.$abi" "$to$libdir/$2.so.$version"
  ln -sf "$2.so.$version" "$to$libdir/$2.so.$abi"
  ln -sf "$4$2.so.$abi" "$to$libdir/$3$1.so"
  install -m 0644 "$built/$1.a" "$to$libdir/$3$1.a"
}

install_all() {
  [ -f "$built/libtradechat.a" ] || { echo "c-install: no libraries in $built; \`make libs\` builds them" >&2; exit 1; }
  install -d "$to$libdir/tradechat" "$to$libdir/pkgconfig" "$to$includedir/tradechat" "$to$mandir/man3"
  install_library libtradechat libtradechat "" ""
  pc tradechat "tradechat for C: protocol, sockets and log" '-L"${libdir}" -ltradechat' libtradechat.a \
    >"$to$libdir/pkgconfig/tradechat.pc"
  for name in "${libraries[@]}"; do
    install_library "lib$name" "libtradechat-$name" tradechat/ ../
    pc "tradechat-$name" "tradechat for C: tradechat/$name.h alone" '-L"${libdir}/tradechat"'" -l$name" "tradechat/lib$name.a" \
      >"$to$libdir/pkgconfig/tradechat-$name.pc"
  done
  install -m 0644 "${headers[@]/#/$root/include/tradechat/}" "$to$includedir/tradechat"
  install -m 0644 "$root/docs/man/tradechat-proto.3" "$to$mandir/man3"
  [ -n "$to" ] || echo "installed; if programs do not find the libraries, run ldconfig as root (or set LD_LIBRARY_PATH=$libdir)"
}

uninstall_all() {
  for name in libtradechat "${libraries[@]/#/libtradechat-}"; do
    rm -f "$to$libdir/$name.so.$abi" "$to$libdir/$name.so.$version"
  done
  rm -f "$to$libdir"/libtradechat.{a,so} "$to$libdir/pkgconfig/tradechat.pc" "$to$mandir/man3/tradechat-proto.3"
  for name in "${libraries[@]}"; do
    rm -f "$to$libdir/tradechat/lib$name".{a,so} "$to$libdir/pkgconfig/tradechat-$name.pc" "$to$includedir/tradechat/$name.h"
  done
  for folder in "$libdir/tradechat" "$includedir/tradechat"; do
    rmdir "$to$folder" 2>/dev/null || true # what others have put there stays
  done
}

case $action in
  install) install_all ;;
  uninstall) uninstall_all ;;
  *) echo "usage: c-install.sh install|uninstall LIB" >&2; exit 2 ;;
esac
