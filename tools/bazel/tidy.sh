#!/bin/bash
# Runs clang-tidy on one source and says only what it found: tidy.sh CLANG_TIDY SOURCE STAMP COMPILER_FLAGS...
tidy=$1 source=$2 stamp=$3
shift 3
if ! "$tidy" --quiet "$source" -- "$@" >"$stamp" 2>&1; then
    grep -v 'generated\.$' "$stamp" | sed "s#$PWD/##g"
    exit 1
fi
: >"$stamp"
