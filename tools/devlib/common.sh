# Shared by all verbs of tools/dev. ROOT is the checkout.
# shellcheck shell=bash

# shellcheck disable=SC2034  # used by the other parts

BUILD="$ROOT/.build"
VENV="$ROOT/.venv"
CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/sabir"
CAPNP_VERSION=$(sed -n 's/^VERSION = "\(.*\)"$/\1/p' "$ROOT/tools/bazel/capnp_source.bzl")
JUNIT_VERSION=$(sed -n 's/^JUNIT_VERSION = "\(.*\)"$/\1/p' "$ROOT/tools/bazel/host_java.bzl")

say() { printf '%s\n' "dev: $*" >&2; }

die() {
    say "$*"
    exit 1
}

# Hash of files and words: the key of a stamp.
key_of() { printf '%s\n' "$@" | sha256sum | cut -c1-32; }
key_of_files() { cat "$@" | sha256sum | cut -c1-32; }

# once STAMP KEY COMMAND...: runs COMMAND unless it succeeded before with the same key (kept in the file STAMP).
once() {
    local stamp=$1 key=$2
    shift 2
    if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$key" ]; then
        return 0
    fi
    # `set -e` does not hold where the caller looks at the status.
    "$@" || return
    mkdir -p "$(dirname "$stamp")"
    printf '%s' "$key" >"$stamp"
}

# Every interpreter found, one per line: MINOR EXECUTABLE INCLUDE EXT_SUFFIX, oldest first. Looking takes a second:
# find_pythons, called outside of a subshell, looks once.
PYTHONS_FOUND=
find_pythons() { PYTHONS_FOUND=${PYTHONS_FOUND:-$(sh "$ROOT/tools/bazel/find_pythons.sh")}; }
pythons() {
    find_pythons
    [ -z "$PYTHONS_FOUND" ] || printf '%s\n' "$PYTHONS_FOUND"
}

# The interpreter behind .venv: the user's python3 if it is one of ours, else the newest.
main_python() {
    local minor
    find_pythons
    [ -n "$PYTHONS_FOUND" ] || return 1
    minor=$(python3 -c 'import sys; print(sys.version_info[1])' 2>/dev/null || true)
    awk -v minor="${minor:-none}" '$1 == minor { print $2; done = 1; exit } { last = $2 } END { if (!done) print last }' \
        <<<"$PYTHONS_FOUND"
}
