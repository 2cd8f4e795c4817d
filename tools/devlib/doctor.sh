# tools/dev doctor: what is missing and how to get it. Changes nothing.
# shellcheck shell=bash

DOCTOR_MISSING=0

doctor_line() { printf '%-9s %s\n' "$1" "$2"; }

# doctor_check WHAT HOW CONDITION...
doctor_check() {
    local what=$1 how=$2
    shift 2
    if "$@" >/dev/null 2>&1; then
        doctor_line ok "$what"
    else
        doctor_line missing "$what: $how"
        DOCTOR_MISSING=$((DOCTOR_MISSING + 1))
    fi
}

run_doctor() {
    find_pythons
    local section missing count
    for section in build lint test bench java; do
        missing=$(packages_of "$section" | missing_packages | tr '\n' ' ')
        count=$(packages_of "$section" | wc -l)
        doctor_check "Debian packages to $section ($count)" "apt-get install $missing" test -z "$missing"
    done
    doctor_check "Go" "apt-get install $(packages_of go)" command -v go
    doctor_check "sources of Cap'n Proto $CAPNP_VERSION" "tools/dev setup" \
        test -e "$CACHE/src/capnproto-$CAPNP_VERSION/src/kj/common.h"
    doctor_check "JUnit $JUNIT_VERSION" "tools/dev setup" \
        test -e "$CACHE/java/junit-platform-console-standalone-$JUNIT_VERSION.jar"

    local minor python _
    while read -r minor python _; do
        doctor_line ok "CPython 3.$minor: $python"
    done < <(pythons)
    doctor_check "a CPython 3.9 to 3.13 with headers" "apt-get install python3-dev" main_python
    doctor_check "the Python environment .venv" "tools/dev setup" test -x "$VENV/bin/ruff"

    local shm_mib
    shm_mib=$(df -m --output=avail /dev/shm 2>/dev/null | tail -n 1 | tr -d ' ')
    doctor_check "256 MiB in /dev/shm (${shm_mib:-0} free)" "mount -o remount,size=1g /dev/shm" \
        test "${shm_mib:-0}" -ge 256
    doctor_check "4096 open files (ulimit -n: $(ulimit -n))" "ulimit -n 4096" test "$(ulimit -n)" -ge 4096

    if [ "$DOCTOR_MISSING" -gt 0 ]; then
        echo "$DOCTOR_MISSING missing; tools/dev VERB installs what it needs by itself, tools/dev setup everything"
        return 1
    fi
}
