# tools/dev bench: tests/benchmark in the built environment.
# shellcheck shell=bash

run_bench() {
    build_package
    need_packages bench
    local argument previous="" peer="" sdk=""
    for argument in "$@"; do
        [ "$previous" = --peer ] && peer=$argument
        [[ "$argument" == --peer=* ]] && peer=${argument#--peer=}
        [[ "$argument" == --sdk* ]] && sdk=1
        previous=$argument
    done
    [ -z "$sdk" ] || build_java
    if [ "${1:-}" = cluster ]; then
        # What a plain TLS stream carries, measured in the same run.
        run_bazel build //runtime/rpc/node_link:bulk_speed || return 1
        SABIR_BULK_SPEED="$(bazel info bazel-bin 2>/dev/null)/runtime/rpc/node_link/bulk_speed"
        export SABIR_BULK_SPEED
    fi
    if [ "$peer" = ray ]; then
        need_venv "$ROOT/.venv-peer-ray" "$(main_python)" peer-ray
        [ -x "$ROOT/.venv-peer-ray/bin/ray" ] || die "Ray has no release for $(main_python); it wants CPython 3.10 or newer"
    fi
    PYTHONPATH="$ROOT${PYTHONPATH:+:$PYTHONPATH}" SABIR_PEER_PYTHON="$ROOT/.venv-peer-ray/bin/python" \
        run_command python -m tests.benchmark "$@"
}
