#!/bin/sh
# Runs one Promela model: spin_test.sh MODEL EXPECT SPIN_FLAGS CC_FLAGS PAN_FLAGS (see spin.bzl).
set -eu
model=$(basename "$1")
expect=$2
work=$(mktemp -d "${TEST_TMPDIR:-/tmp}/spin.XXXXXX")
cp -L "$(dirname "$1")"/*.pml "$work"
cd "$work"

# shellcheck disable=SC2086  # the flags are lists
spin -a $3 "$model"
# shellcheck disable=SC2086
gcc -O2 -w -o pan $4 pan.c
# shellcheck disable=SC2086
./pan $5 >pan.out 2>&1 || true
cat pan.out

if grep -q -e 'search depth too small' -e 'out of memory' -e 'reached -DMEMLIM' pan.out; then
    echo "the search was cut short: raise -m in pan_args or MEMLIM in pan_defines" >&2
    exit 1
fi
errors=$(sed -n 's/.*errors: \([0-9]*\).*/\1/p' pan.out)
case "$expect:$errors" in
ok:0) exit 0 ;;
violation: | violation:0 | *:)
    echo "expected $expect, but spin found ${errors:-no end of the search}" >&2
    exit 1
    ;;
violation:*)
    exit 0
    ;;
esac
echo "expected no error; the trail:" >&2
# shellcheck disable=SC2086
spin -t -p -g $3 "$model" >&2 || true
exit 1
