# Building, and the environment in which the built package is used.
# shellcheck shell=bash

STAGE="$BUILD/python"

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
    setup_build
    setup_run
    if ! has_package; then
        say "there is no Python package yet"
        return 0
    fi
    run_bazel build //sdk-python:package || return 1
    # Not by the link .bz/bin, which follows whatever configuration was built last.
    "$VENV/bin/python" "$ROOT/tools/devlib/stage.py" "$(bazel info bazel-bin 2>/dev/null)/sdk-python/package.manifest" \
        "$STAGE" || return 1
    mkdir -p "$BUILD/bin"
    printf '#!/bin/sh\nexec python -m sabir "$@"\n' >"$BUILD/bin/sabir"
    chmod +x "$BUILD/bin/sabir"
}

# in_environment [NAME=VALUE...] CMD...: with .venv's programs and the staged package.
in_environment() {
    env "PATH=$VENV/bin:$BUILD/bin:$PATH" "PYTHONPATH=$STAGE${PYTHONPATH:+:$PYTHONPATH}" "$@"
}

run_command() {
    [ $# -gt 0 ] || die "usage: tools/dev run CMD..."
    local status=0
    in_environment "$@" || status=$?
    exit "$status"
}

run_demo() {
    build_package
    need_venv "$VENV" "$(main_python)" demo
    run_command python examples/forest_sweep.py "$@"
}

run_clean() {
    local path
    for path in .build .venv .venv-peer-ray dist .mypy_cache .ruff_cache .pytest_cache; do
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
