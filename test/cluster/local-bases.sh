#!/bin/bash
# local-bases.sh STORAGE: makes in buildah's STORAGE the two images that the Dockerfile begins with, out of this machine's
# own files, where no registry can be asked: localhost/steeple-builder:1 (npm, Node, nft, busybox) and
# localhost/steeple-base:1 (the libraries of Node, and a user without rights).
set -euo pipefail
storage=$1
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
case $(uname -m) in aarch64 | arm64) kind=arm64 ;; *) kind=x64 ;; esac
node=$project/node_modules/node-linux-$kind/bin/node
npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT

libraries() { # libraries ROOT PROGRAM…: the loader and what it would load, at their own places
  local root=$1 program library
  shift
  for program in "$@"; do
    ldd "$program" | grep -o '/[^ ]*' | while read -r library; do
      mkdir -p "$root/usr$(dirname "${library#/usr}")"
      cp -Ln "$library" "$root/usr${library#/usr}" 2>/dev/null || true
    done
  done
}
skeleton() { # skeleton ROOT: directories, accounts, certificates
  mkdir -p "$1"/{etc/ssl/certs,proc,sys,dev,run,root,home/nonroot} "$1"/usr/{bin,lib,lib64,sbin}
  mkdir -m 1777 "$1/tmp"
  ln -s usr/lib "$1/lib"; ln -s usr/lib64 "$1/lib64"; ln -s usr/bin "$1/bin"; ln -s usr/sbin "$1/sbin"
  printf 'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n' >"$1/etc/passwd"
  printf 'root:x:0:\nnonroot:x:65532:\n' >"$1/etc/group"
  printf 'hosts: files dns\n' >"$1/etc/nsswitch.conf"
  cp -L /etc/ssl/certs/ca-certificates.crt "$1/etc/ssl/certs/" 2>/dev/null || true
}
commit() { # commit ROOT NAME
  local container
  container=$(buildah "${buildah[@]}" from scratch)
  buildah "${buildah[@]}" copy -q "$container" "$1" / >/dev/null
  buildah "${buildah[@]}" commit -q --rm "$container" "$2" >/dev/null
}
buildah=(--root "$storage" --runroot "$storage/run" --storage-driver vfs)

skeleton "$stage/base"
libraries "$stage/base" "$node"
commit "$stage/base" localhost/steeple-base:1

skeleton "$stage/builder"
nft=$(command -v nft) cp=$(command -v cp) # busybox has no cp --parents
libraries "$stage/builder" "$node" "$nft" "$cp"
cp -L "$node" "$cp" "$stage/builder/usr/bin/"
cp -L "$nft" "$stage/builder/usr/sbin/nft"
cp -L "$(command -v busybox)" "$stage/builder/usr/bin/busybox"
for applet in $(busybox --list); do
  [ -e "$stage/builder/usr/bin/$applet" ] || ln -s busybox "$stage/builder/usr/bin/$applet"
done
mkdir -p "$stage/builder/usr/lib/node_modules"
cp -r "$npm" "$stage/builder/usr/lib/node_modules/npm"
# How this machine's npm reaches its registry.
settings=$(dirname "$(dirname "$(dirname "$npm")")")/etc/npmrc
[ ! -f "$settings" ] || { mkdir -p "$stage/builder/usr/etc"; cp "$settings" "$stage/builder/usr/etc/npmrc"; }
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$stage/builder/usr/bin/npm"
commit "$stage/builder" localhost/steeple-builder:1
