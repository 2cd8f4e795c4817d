# tools/dev abi: the binary interface of libsabir.so against its stored baseline.
# shellcheck shell=bash

run_abi() {
    local verb=check
    case "${1:-}" in
    "") ;;
    --renew) verb=renew ;;
    *) die "abi: unknown option $1; there is --renew" ;;
    esac
    setup_build
    need_packages test
    run_bazel build //runtime/abi:libsabir.so || return 1
    "$VENV/bin/python" "$ROOT/tests/abi/guard/abi.py" "$verb" "$(bazel info bazel-bin 2>/dev/null)/runtime/abi/libsabir.so" \
        "$ROOT/runtime/abi/sabir.h" "$ROOT/tests/abi/baseline.abi"
}
