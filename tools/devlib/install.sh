# What the verbs need, installed once: Debian packages, Cap'n Proto's sources, Python environments.
# shellcheck shell=bash

PACKAGES_FILE="$ROOT/tools/devlib/packages.txt"

# Packages of the given sections.
packages_of() {
    local section
    for section in "$@"; do
        awk -v wanted="[$section]" '/^\[/ { on = ($0 == wanted); next } on && NF && !/^#/' "$PACKAGES_FILE"
    done
}

# Of the packages given on standard input, those that are not installed.
missing_packages() {
    local wanted
    wanted=$(sort -u)
    comm -23 <(printf '%s\n' "$wanted") \
        <(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' 2>/dev/null | sed -n 's/^ii *//p' | sort -u)
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "this needs root; without sudo, let root run: $*"
    fi
}

need_packages() {
    local missing
    missing=$(packages_of "$@" | missing_packages | tr '\n' ' ')
    [ -z "$missing" ] && return 0
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
        die "Debian packages are missing, and installing them needs root; as root: apt-get install ${missing% }"
    fi
    say "installing Debian packages: $missing"
    as_root apt-get -qq update || die "apt-get update failed"
    # shellcheck disable=SC2086  # a list of words
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0 \
        install --no-install-recommends $missing >/dev/null || die "apt-get could not install: $missing"
}

# need_venv DIR PYTHON NAME...: the environment DIR has what tools/devlib/requirements-NAME.txt ask for.
need_venv() {
    local dir=$1 python=$2
    shift 2
    local name="$*"
    local files=() args=() file
    for file in "$@"; do
        files+=("$ROOT/tools/devlib/requirements-$file.txt")
        args+=(-r "$ROOT/tools/devlib/requirements-$file.txt")
    done
    local key
    key=$(key_of "$python" "$dir" "$(key_of_files "${files[@]}" "$ROOT/tools/devlib/requirements-run.txt")")
    once "$dir/.stamps/$name" "$key" fill_venv "$dir" "$python" "${args[@]}"
}

fill_venv() {
    local dir=$1 python=$2
    shift 2
    local base='import os, sys; print(os.path.realpath(sys._base_executable))'
    if ! [ -x "$dir/bin/python" ] || [ "$("$dir/bin/python" -c "$base")" != "$("$python" -c "$base")" ]; then
        say "creating ${dir#"$ROOT"/} with $python"
        "$python" -m venv --clear "$dir" || return
    fi
    local listed
    listed=$(printf '%s ' "$@" | sed "s#-r [^ ]*/##g")
    say "installing Python packages into ${dir#"$ROOT"/}: $listed"
    "$dir/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
}

# For the tests of the Java SDK.
need_maven() { "$ROOT/tools/devlib/fetch_maven.sh" "$CACHE/java" "$JUNIT_VERSION" "$ROOT/tests/java/maven" "$ROOT/tests/languages/arrow"; }

need_capnp_source() { "$ROOT/tools/devlib/fetch_capnp.sh" "$CACHE/src" "$CAPNP_VERSION"; }

# Bazel's running server looks at the machine again when this changes.
write_bazelrc() {
    local fingerprint
    # shellcheck disable=SC2016  # the braces are dpkg-query's
    fingerprint=$(key_of "$(packages_of build lint test bench java | sort -u |
        xargs dpkg-query -W -f '${Package} ${Version}\n' g++-12 libc6-dev libstdc++-12-dev 2>/dev/null)" \
        "$(pythons)" "$(cat "$ROOT"/tools/devlib/requirements-{build,lint}.txt)" "$(ls -d "$VENV"/lib/python3*/site-packages/clang_tidy "$CACHE"/java/*.jar 2>/dev/null)")
    local text
    text="build --repo_env=SABIR_HOST_FINGERPRINT=$fingerprint"
    [ -z "${XDG_CACHE_HOME:-}" ] || text+=$'\n'"build --disk_cache=$CACHE/bazel"
    mkdir -p "$BUILD"
    [ "$(cat "$BUILD/bazelrc" 2>/dev/null)" = "$text" ] || printf '%s\n' "$text" >"$BUILD/bazelrc"
}

setup_build() {
    need_packages build
    need_capnp_source
    find_pythons
    local python
    python=$(main_python) || die "no CPython 3.9 to 3.13 with headers found; see tools/dev doctor"
    need_venv "$VENV" "$python" build
    write_bazelrc
}

setup_run() { need_venv "$VENV" "$(main_python)" run; }

setup_lint() {
    need_packages lint
    need_venv "$VENV" "$(main_python)" lint run
    write_bazelrc
}

setup_test() {
    need_packages test bench java
    command -v go >/dev/null || need_packages go
    need_maven
    write_bazelrc
}
