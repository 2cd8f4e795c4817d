# tools/dev fuzz: the targets of tests/fuzz as libFuzzer programs, guided by coverage, with ASan and UBSan.
# shellcheck shell=bash

# What was found interesting stays in .build/fuzz/NAME for the next time; what breaks is .build/fuzz/NAME-crash-*.
run_fuzz() {
    local wanted=${1:-} seconds=${2:-60} name names=() targets=() status=0
    setup_build
    need_packages fuzz
    for name in "$ROOT"/tests/fuzz/*_fuzz.cc; do
        name=$(basename "$name" .cc)
        [[ -z "$wanted" || "$name" == "$wanted" || "$name" == "${wanted}_fuzz" ]] && names+=("$name") && targets+=("//tests/fuzz:${name}_fuzzer")
    done
    [ ${#names[@]} -gt 0 ] || die "there is no tests/fuzz/$wanted.cc"
    # Another compiler: with the usual output base Bazel would build everything again each time.
    local bazel=(bazel "--output_base=$CACHE/fuzz/$(key_of "$ROOT")")
    "${bazel[@]}" build --noshow_progress --ui_event_filters=-info --config=fuzz \
        "${targets[@]}" || return 1
    local programs
    programs=$("${bazel[@]}" info --config=fuzz bazel-bin 2>/dev/null)/tests/fuzz
    for name in "${names[@]}"; do
        say "$name for $seconds s"
        mkdir -p "$BUILD/fuzz/$name"
        "$programs/${name}_fuzzer" "-max_total_time=$seconds" -print_final_stats=1 -max_len=65536 \
            "-artifact_prefix=$BUILD/fuzz/$name-" "$BUILD/fuzz/$name" || status=1
    done
    "${bazel[@]}" shutdown
    return $status
}
