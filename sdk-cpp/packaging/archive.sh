#!/bin/sh
# archive.sh OUT VERSION FILE...: the C++ SDK as it is shipped. The same input gives the same bytes.
set -eu
out=$PWD/$1
version=$2
shift 2

top="sabir-cpp-$version-linux-x86_64"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root="$work/$top"
mkdir -p "$root/bin" "$root/include/sabir" "$root/lib/cmake/sabir" "$root/lib/pkgconfig"

for file in "$@"; do
    case "$file" in
    *.hpp | */sabir.h | */sabir_arrow.h) install -m 644 "$file" "$root/include/sabir/" ;;
    *.cmake) sed "s/@VERSION@/$version/" "$file" >"$root/lib/cmake/sabir/$(basename "$file")" ;;
    *.pc) sed "s/@VERSION@/$version/" "$file" >"$root/lib/pkgconfig/$(basename "$file")" ;;
    *.BUILD) install -m 644 "$file" "$root/BUILD.bazel" ;;
    *.so) install -m 755 "$file" "$root/lib/" ;;
    */sabird | */sabir-cpp-worker | */sabir-java-worker) install -m 755 "$file" "$root/bin/" ;;
    *) install -m 644 "$file" "$root/" ;;
    esac
done
strip --strip-unneeded "$root"/lib/*.so "$root"/bin/*
echo 'workspace(name = "sabir")' >"$root/WORKSPACE"
# The daemon and the workers are looked for beside the library.
for program in "$root"/bin/*; do
    ln -s "../bin/$(basename "$program")" "$root/lib/"
done

tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 --mode=u+w,go-w -cf - "$top" | gzip -n9 >"$out"
