# Building, and the environment in which the built package is used.
# shellcheck shell=bash

STAGE="$BUILD/python"

# Bazel's server stays when its command ends: it must not keep what a caller has open, such as the lock of a `flock`.
bazel() (
    for fd in "/proc/$BASHPID/fd"/*; do
        fd=${fd##*/}
        [ "$fd" -le 2 ] || [ "$fd" = 255 ] || exec {fd}>&-
    done
    exec bazel "$@"
)

# Bazel prints only what went wrong, unless a person watches.
run_bazel() {
    local verb=$1
    shift
    local quiet=(--noshow_progress --ui_event_filters=-info)
    [ -t 2 ] && quiet=()
    bazel "$verb" "${quiet[@]}" "$@"
}

has_package() { [ -e "$ROOT/sdk-python/BUILD.bazel" ]; }

# .build/python holds the package `sabir` with its extension modules, libsabir.so and sabird.
build_package() {
    # Says so itself, but only after all that a build needs was installed.
    [[ "$ROOT" != *" "* ]] || die "Bazel cannot build in a path with a blank: $ROOT"
    setup_build
    setup_run
    if ! has_package; then
        say "there is no Python package yet"
        return 0
    fi
    run_bazel build //sdk-python:package //sdk-cpp:archive || return 1
    # Not by the link .bz/bin, which follows whatever configuration was built last.
    local built
    built=$(bazel info bazel-bin 2>/dev/null)
    "$VENV/bin/python" "$ROOT/tools/devlib/stage.py" "$built/sdk-python/package.manifest" "$STAGE" || return 1
    stage_cpp "$built/sdk-cpp/sabir-cpp.tar.gz" || return 1
    mkdir -p "$BUILD/bin"
    printf '#!/bin/sh\nexec python -m sabir "$@"\n' >"$BUILD/bin/sabir"
    chmod +x "$BUILD/bin/sabir"
}

# .build/cpp holds the C++ SDK as it is shipped, .build/sabir-cpp.tar.gz what it was unpacked from.
stage_cpp() {
    cmp -s "$1" "$BUILD/sabir-cpp.tar.gz" && return 0
    rm -rf "$BUILD/cpp"
    mkdir -p "$BUILD/cpp"
    tar -C "$BUILD/cpp" --strip-components=1 -xzf "$1" && cp -f "$1" "$BUILD/sabir-cpp.tar.gz"
}

# .build/java/sabir-java.jar: the Java SDK, with its native files inside.
build_java() {
    need_packages java
    run_bazel build //sdk-java:sabir-java || return 1
    install -D -m 644 "$(bazel info bazel-bin 2>/dev/null)/sdk-java/sabir-java.jar" "$BUILD/java/sabir-java.jar"
}

# Where drivers in other languages find the Java SDK, if it was built (build_java) and nobody named another.
export_java_jar() {
    [ ! -e "$BUILD/java/sabir-java.jar" ] || export SABIR_JAVA_JAR="${SABIR_JAVA_JAR:-$BUILD/java/sabir-java.jar}"
}

# .build/other: a library and a daemon that say they are of another release, for tests/abi.
build_other_release() {
    run_bazel build //tests/abi:other/libsabir.so //tests/abi:other/sabird || return 1
    local built
    built=$(bazel info bazel-bin 2>/dev/null)/tests/abi/other
    mkdir -p "$BUILD/other"
    install -m 755 --strip "$built/libsabir.so" "$built/sabird" "$BUILD/other/"
}

# run_command [NAME=VALUE...] CMD...: with .venv's programs and the staged package, where the user stands.
run_command() {
    cd "$CALLER" || exit
    export_java_jar
    exec env "PATH=$VENV/bin:$BUILD/bin:$PATH" "PYTHONPATH=$STAGE${PYTHONPATH:+:$PYTHONPATH}" "$@"
}

run_demo() {
    build_package
    need_venv "$VENV" "$(main_python)" demo
    run_command python "$ROOT/examples/forest_sweep.py" "$@"
}

run_clean() {
    local path
    for path in .build .venv .venv-peer-ray dist .mypy_cache .ruff_cache .pytest_cache .hypothesis; do
        [ -e "$ROOT/$path" ] || continue
        say "removing $path"
        rm -rf "${ROOT:?}/$path"
    done
    find "$ROOT" -name __pycache__ -type d -not -path '*/.git/*' -prune -exec rm -rf {} +
    if command -v bazel >/dev/null; then
        say "bazel clean"
        bazel clean 2>/dev/null || true
    fi
    say "kept: $CACHE (sources and compiled objects)"
}
