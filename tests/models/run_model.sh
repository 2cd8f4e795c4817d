#!/bin/sh
# Checks one model by hand: run_model.sh MODEL.pml ok|violation [-DX ...]
#
# "ok": spin searches the whole state space and finds no error. "violation": it finds one (a mutation must be caught).
# A search that is cut short (depth, memory) fails, and so does an error of the model itself (an index out of range).
# Prints one line. Environment: KEEP=1 keeps the working folder (for `spin -t -p`), DEPTH and MEMORY_MB set the limits.
set -eu
if [ $# -lt 2 ]; then
    sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
model=$1
expect=$2
shift 2
case $expect in ok | violation) ;; *)
    echo "expected ok or violation, not '$expect'" >&2
    exit 2
    ;;
esac
title="$(basename "$model") $*"

work=$(mktemp -d "${TEST_TMPDIR:-${TMPDIR:-/tmp}}/model.XXXXXX")
if [ "${KEEP:-0}" = 1 ]; then
    echo "kept: $work" >&2
else
    trap 'rm -rf "$work"' EXIT
fi
cp -L "$model" "$work/model.pml"
cd "$work"

fail() {
    echo "FAILED $title: $1"
    exit 1
}
if ! spin -a "$@" model.pml >spin.out 2>&1 || ! [ -f pan.c ]; then
    cat spin.out >&2
    fail "spin -a"
fi
# A mutation is found in less time than it takes to optimize its verifier.
level=0
[ "$expect" != ok ] || level=1
gcc "-O$level" -w -DSAFETY -DCOLLAPSE -DMEMLIM="${MEMORY_MB:-1500}" -o pan pan.c || fail "gcc"
./pan -m"${DEPTH:-1000000}" >pan.out 2>&1 || true

number() { sed -n "s/$1/\\1/p" pan.out | head -1; }
errors=$(number '.*errors: \([0-9]*\).*')
states=$(number '^ *\([0-9.e+]*\) states, stored.*')
seconds=$(number '^pan: elapsed time \([0-9.]*\) seconds.*')
megabytes=$(number '^ *\([0-9.]*\).*total actual memory usage.*')
found=$(sed -n 's/^pan:[0-9]*: \(.*\) (at depth.*/\1/p' pan.out | head -1)
seen="${states:-?} states, ${seconds:-?} s, ${megabytes:-?} MB"

if grep -q -e 'search depth too small' -e 'out of memory' -e 'reached -DMEMLIM' -e 'VECTORSZ' pan.out; then
    fail "cut short ($seen)"
fi
[ -n "$errors" ] || { tail -5 pan.out >&2; fail "the verifier did not finish"; }
case $found in *index*) fail "the model is wrong: $found" ;; esac
case "$expect:$errors" in
ok:0) echo "ok $title: $seen" ;;
violation:0) fail "no violation ($seen)" ;;
violation:*) echo "violation, as expected, $title: $found ($seen)" ;;
*) fail "$found ($seen)" ;;
esac
