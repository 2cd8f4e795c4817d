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
    cp "$BUILD/sabir-cpp.tar.gz" "$ROOT/dist/sabir-cpp-$(cat "$ROOT/VERSION")-linux-x86_64.tar.gz"
}
