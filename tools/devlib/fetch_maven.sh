#!/bin/bash
# Fetches through Maven what the tests of the Java SDK need, so that they need no network: JUnit's console launcher, one
# jar, the plugins of the Maven project in tests/java/maven, and arrow-java.
# fetch_maven.sh CACHE_DIR JUNIT_VERSION PROJECT ARROW_PROJECT
# Leaves CACHE_DIR/junit-platform-console-standalone-VERSION.jar, the repository CACHE_DIR/m2 and CACHE_DIR/arrow/*.jar.
set -euo pipefail

cache=$1
version=$2
project=$3
arrow=$4
name=junit-platform-console-standalone

mkdir -p "$cache"
work=$(mktemp -d "$cache/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
maven() { (cd "$work" && mvn -q -B "-Dmaven.repo.local=$cache/m2" "$@"); }

if [ ! -e "$cache/$name-$version.jar" ]; then
    echo "fetching JUnit $version into $cache"
    maven dependency:copy "-Dartifact=org.junit.platform:$name:$version" "-DoutputDirectory=$work"
    mv "$work/$name-$version.jar" "$cache/"
fi

stamp="$cache/m2/plugins-$(sha256sum <"$project/pom.xml" | cut -c1-16)"
if [ ! -e "$stamp" ]; then
    echo "fetching Maven's plugins into $cache/m2"
    mkdir -p "$work/src/main/java/example"
    cp "$project/pom.xml" "$work/"
    cp "$project/Empty.java" "$work/src/main/java/example/"
    maven compile dependency:build-classpath "-Dmdep.outputFile=$work/path"
    touch "$stamp"
fi

stamp="$cache/arrow/fetched-$(sha256sum <"$arrow/pom.xml" | cut -c1-16)"
if [ ! -e "$stamp" ]; then
    echo "fetching arrow-java into $cache/arrow"
    rm -rf "$cache/arrow"
    maven -f "$arrow/pom.xml" dependency:copy-dependencies "-DoutputDirectory=$work/arrow"
    mv "$work/arrow" "$cache/arrow"
    touch "$stamp"
fi
