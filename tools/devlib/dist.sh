# tools/dev dist: what is shipped, in dist/.
# shellcheck shell=bash

run_dist() {
    build_package
    has_package || return 0
    rm -rf "$ROOT/dist"
    mkdir -p "$ROOT/dist"
    local minor _
    while read -r minor _; do
        "$VENV/bin/python" "$ROOT/tools/devlib/wheel.py" "$STAGE" "3.$minor" "$ROOT/dist"
    done < <(pythons)
    "$VENV/bin/python" "$ROOT/tools/devlib/ray_wheel.py" "$ROOT/dist"
    "$VENV/bin/python" "$ROOT/tools/devlib/cpp_archive.py" "$BUILD/sabir-cpp.tar.gz" "$ROOT/dist"
    dist_java
}

# What a Maven repository wants of an artifact.
dist_java() {
    need_packages java
    run_bazel build //sdk-java:sabir-java //sdk-java:sources //sdk-java:sabir-java-javadoc
    local bin base
    bin="$(bazel info bazel-bin 2>/dev/null)/sdk-java"
    base="$ROOT/dist/sabir-java-$(cat "$ROOT/VERSION")"
    install -m 644 "$bin/sabir-java.jar" "$base.jar"
    install -m 644 "$bin/sabir-java.pom" "$base.pom"
    install -m 644 "$bin/sabir-sources.jar" "$base-sources.jar"
    install -m 644 "$bin/sabir-java-javadoc.jar" "$base-javadoc.jar"
    say "${base#"$ROOT"/}.jar, .pom, -sources.jar, -javadoc.jar"
}
