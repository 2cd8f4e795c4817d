# tools/dev test: lint, Bazel tests, Python tests; a summary of one line.
# shellcheck shell=bash

# shellcheck disable=SC2153  # VENV is common.sh's
RESULTS="$BUILD/results"

report() { "$VENV/bin/python" "$ROOT/tools/devlib/report.py" "$RESULTS/tally" "$@"; }

# Lint steps whose name contains the filter.
test_lint() {
    local filter=$1 step
    for step in "${LINT_STEPS[@]}"; do
        [[ "lint:$step" == *"$filter"* ]] || continue
        if lint_step "$step"; then
            report add "lint:$step" 1 0
        else
            report add "lint:$step" 0 1
        fi
    done
}

# Bazel tests whose label contains the filter.
test_bazel() {
    local filter=$1
    shift
    local targets=(//...)
    if [ -n "$filter" ]; then
        # The name is matched as a regular expression: take the filter literally.
        local pattern
        pattern=$(printf '%s' "$filter" | sed 's/[][\.*^$+?(){}|]/\\&/g')
        local query="filter('$pattern', tests(//...))" found
        found=$(bazel query --noshow_progress --keep_going "$query" 2>"$RESULTS/query.log") || {
            cat "$RESULTS/query.log" >&2
            report add "bazel query (a broken package)" 0 1
        }
        [ -n "$found" ] || return 0
        mapfile -t targets <<<"$found"
    fi
    local status=0
    rm -f "$RESULTS/bazel.json"
    run_bazel test --keep_going "--build_event_json_file=$RESULTS/bazel.json" "$@" "${targets[@]}" || status=$?
    report bazel "$RESULTS/bazel.json" "$status"
}

# test_python NAME FILTER MINOR PYTHON FOLDER...: suites with one interpreter, in an environment of its own.
test_python() {
    local name=$1 filter=$2 minor=$3 python=$4
    shift 4
    [ $# -gt 0 ] || return 0
    local venv="$BUILD/venv/cp3$minor" status=0
    need_venv "$venv" "$python" test
    export_java_jar
    SABIR_TEST_FILTER="$filter" PATH="$venv/bin:$BUILD/bin:$PATH" \
        PYTHONPATH="$STAGE:$ROOT/tools/devlib" PYTHONDONTWRITEBYTECODE=1 \
        "$venv/bin/python" -m pytest -q -p pytest_filter "--junitxml=$RESULTS/$name.xml" "$@" || status=$?
    report junit "$RESULTS/$name.xml" "$status"
}

# The oldest and the newest interpreter run everything; what does not depend on the interpreter runs once.
test_pythons() {
    local filter=$1 found suites=() once=()
    found=$(pythons)
    local oldest newest
    oldest=$(head -n 1 <<<"$found" | cut -d' ' -f1,2)
    newest=$(tail -n 1 <<<"$found" | cut -d' ' -f1,2)
    local directory
    for directory in sdk-python/tests tests/*/; do
        [ -n "$(find "$ROOT/$directory" -name 'test_*.py' -print -quit 2>/dev/null)" ] || continue
        if [ -e "$ROOT/$directory/run_once" ]; then
            once+=("$directory")
        else
            suites+=("$directory")
        fi
    done
    # shellcheck disable=SC2086  # minor and interpreter
    {
        test_python once "$filter" $newest "${once[@]}"
        [ "$oldest" = "$newest" ] || test_python "cp3${oldest%% *}" "$filter" $oldest "${suites[@]}"
        test_python "cp3${newest%% *}" "$filter" $newest "${suites[@]}"
    }
}

run_tests() {
    local filter="" config="" argument
    for argument in "$@"; do
        case "$argument" in
        --config=asan | --config=tsan | --config=debug) config=$argument ;;
        -h | --help)
            usage
            return 0
            ;;
        -*) die "test: unknown option $argument" ;;
        *)
            [ -z "$filter" ] || die "test: one FILTER only, not $filter and $argument"
            filter=$argument
            ;;
        esac
    done
    setup_build
    setup_test
    rm -rf "$RESULTS"
    mkdir -p "$RESULTS"
    if [ -n "$config" ]; then
        test_bazel "$filter" "$config"
    else
        setup_lint
        # Its part of the tests says what is wrong when it cannot be built.
        build_package || report add "the Python package (does not build)" 0 1
        build_java || report add "the Java package (does not build)" 0 1
        build_other_release || report add "tests/abi/other (does not build)" 0 1
        test_lint "$filter"
        test_bazel "$filter"
        test_pythons "$filter"
    fi
    report total "$filter"
}
