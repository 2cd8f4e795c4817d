# Formatting and lint. Each step is one line of the summary of `tools/dev test`.
# shellcheck shell=bash

LINT_STEPS=(clang-format clang-tidy ruff-check ruff-format mypy shellcheck)

# shell_scripts: what says so in its first line, and the parts of tools/dev.
shell_scripts() {
    git -C "$ROOT" ls-files --cached --others --exclude-standard | xargs -d '\n' grep -lsE '^#!/bin/(ba)?sh|shell=bash'
}

# cpp_sources [PATH...]: what clang-format knows
cpp_sources() {
    git -C "$ROOT" ls-files --cached --others --exclude-standard -- "${@:-.}" | grep -E '\.(cc|h|hpp|c|java)$' || true
}

lint_step() {
    case "$1" in
    clang-format) cpp_sources | xargs -r clang-format-14 --dry-run --Werror ;;
    clang-tidy) run_bazel build --config=tidy //runtime/... //sdk-python/... //sdk-java:libsabir_jni.so //sdk-java/launcher/... ;;
    ruff-check) "$VENV/bin/ruff" check --quiet . ;;
    ruff-format) "$VENV/bin/ruff" format --quiet --diff . ;;
    mypy)
        # The public surface is strict; see pyproject.toml.
        [ ! -e "$ROOT/sdk-python/sabir/__init__.py" ] || "$VENV/bin/mypy" --no-error-summary sdk-python/sabir
        ;;
    shellcheck) shell_scripts | xargs -d '\n' shellcheck ;;
    esac
}

run_lint() {
    setup_build
    setup_lint
    local step failed=0
    for step in "${LINT_STEPS[@]}"; do
        lint_step "$step" || {
            say "lint: $step failed (tools/dev fmt mends formatting)"
            failed=1
        }
    done
    return "$failed"
}

run_fmt() {
    local path paths=() python
    for path in "${@:-$ROOT}"; do
        paths+=("$(cd "$CALLER" && realpath -qe -- "$path")") || die "fmt: there is no $path"
    done
    setup_build
    setup_lint
    cpp_sources "${paths[@]}" | xargs -r clang-format-14 -i
    # Given by name, any file is Python for ruff.
    mapfile -t python < <(for path in "${paths[@]}"; do [[ -d "$path" || "$path" == *.py* ]] && echo "$path"; done)
    [ ${#python[@]} -gt 0 ] || return 0
    "$VENV/bin/ruff" check --quiet --fix --select I "${python[@]}" || true
    "$VENV/bin/ruff" format --quiet "${python[@]}"
}
