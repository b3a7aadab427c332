#!/bin/sh
# assemble.sh OUT: puts into OUT what the image adds to its base, out of a built checkout with production dependencies.
#   /usr/local/bin/node      the Node that the project pins
#   /usr/local/bin/steeple   the command
#   /usr/local/bin/nft       with the libraries that the base lacks
#   /opt/steeple             the program and its dependencies
set -eu
out=$1
case $(uname -m) in aarch64 | arm64) kind=arm64 ;; *) kind=x64 ;; esac

mkdir -p "$out/opt/steeple" "$out/usr/local/bin"
cp "node_modules/node-linux-$kind/bin/node" "$out/usr/local/bin/node"
cp deploy/image/steeple "$out/usr/local/bin/steeple"
chmod 0755 "$out/usr/local/bin/node" "$out/usr/local/bin/steeple"
cp -r dist node_modules package.json LICENSE "$out/opt/steeple/"

# What no program opens when it runs: a second Node, sources of native parts, builds for other machines, types, maps.
cd "$out/opt/steeple/node_modules"
rm -rf node-linux-* .bin .package-lock.json @types better-sqlite3/deps better-sqlite3/src koffi/doc koffi/vendor
for build in better-sqlite3/prebuilds/*; do
  case ${build##*/} in linux-"$kind"*) ;; *) rm -rf "$build" ;; esac
done
find . -type f '(' -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.map' -o -iname 'readme*' -o -iname 'changelog*' ')' -exec rm -f '{}' +

nft=$(command -v nft)
cp "$(readlink -f "$nft")" "$out/usr/local/bin/nft"
loader=$(ls /lib64/ld-linux-*.so.* /lib/ld-linux-*.so.* 2>/dev/null | head -n 1)
"$loader" --list "$nft" | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' | while read -r library; do
  case ${library##*/} in libc.so.* | libm.so.* | libdl.so.* | libpthread.so.* | ld-linux*) continue ;; esac
  folder=$out/usr/lib/$(basename "$(dirname "$(readlink -f "$library")")")
  mkdir -p "$folder"
  cp "$(readlink -f "$library")" "$folder/${library##*/}"
done
