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
    "$VENV/bin/python" "$ROOT/tools/devlib/cpp_archive.py" "$BUILD/sabir-cpp.tar.gz" "$ROOT/dist"
}
