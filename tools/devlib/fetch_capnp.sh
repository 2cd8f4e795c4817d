#!/bin/bash
# Fetches Debian's source package of Cap'n Proto into the cache: fetch_capnp.sh CACHE_DIR VERSION
# Leaves CACHE_DIR/capnproto-VERSION. Uses the machine's own package sources, with source packages
# switched on in a private copy; changes nothing of the system's apt and needs no privileges.
set -euo pipefail

cache=$1
version=$2
target="$cache/capnproto-$version"
[ -e "$target/src/kj/common.h" ] && exit 0

mkdir -p "$cache"
work=$(mktemp -d "$cache/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/parts" "$work/lists/partial" "$work/archives/partial" "$work/source"

# Only Debian's own sources: other parties' repositories have nothing to say here.
shopt -s nullglob
for file in /etc/apt/sources.list.d/*.sources; do
    grep -qE 'debian-archive-keyring|^URIs:.*/debian' "$file" &&
        sed 's/^Types:.*/Types: deb-src/' "$file" >"$work/parts/$(basename "$file")"
done
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ -f "$file" ] && sed -n 's/^deb\(-src\)\? \(.*debian.*\)/deb-src \2/p' "$file" | sort -u \
        >"$work/parts/$(basename "$file" .list).list"
done

apt=(apt-get -qq
    -o "Dir::Etc::SourceList=/dev/null" -o "Dir::Etc::SourceParts=$work/parts"
    -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work" -o "Dir::Cache::archives=$work/archives"
    -o "APT::Sandbox::User=root")
echo "fetching the source package capnproto $version into $cache"
"${apt[@]}" update
upstream=$(apt-cache -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work" \
    -o "Dir::Etc::SourceList=/dev/null" -o "Dir::Etc::SourceParts=$work/parts" \
    showsrc capnproto | sed -n "s/^Version: \($version-.*\)/\1/p" | sort -V | tail -n 1)
if [ -z "$upstream" ]; then
    echo "the package sources of this machine have no source package capnproto $version" >&2
    exit 1
fi
(cd "$work/source" && "${apt[@]}" source --download-only "capnproto=$upstream")
dpkg-source --no-check -x "$work/source/capnproto_$upstream.dsc" "$work/tree" >/dev/null
rm -rf "$target"
mv "$work/tree" "$target"
