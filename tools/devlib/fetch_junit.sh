#!/bin/bash
# Fetches JUnit's console launcher, one jar, through Maven into the cache: fetch_junit.sh CACHE_DIR VERSION
set -euo pipefail

cache=$1
version=$2
name=junit-platform-console-standalone
target="$cache/$name-$version.jar"
[ -e "$target" ] && exit 0

mkdir -p "$cache"
work=$(mktemp -d "$cache/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
echo "fetching JUnit $version into $cache"
(cd "$work" && mvn -q -B dependency:copy "-Dartifact=org.junit.platform:$name:$version" "-DoutputDirectory=$work")
mv "$work/$name-$version.jar" "$target"
