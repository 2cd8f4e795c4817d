#!/bin/sh
# Prints one line for the newest patch release of each CPython 3.9 to 3.13 found on this machine:
#   MINOR EXECUTABLE INCLUDE_DIR EXT_SUFFIX      for example: 9 /usr/bin/python3.9 /usr/include/python3.9 .cpython-39-...so
# Looks at SABIR_PYTHONS (a list of interpreters; then nowhere else), else PATH, pyenv and /usr/bin.
# An interpreter without its headers (Python.h) is left out. Used by Bazel and by tools/dev alike.
set -u

probe='
import os, sys, sysconfig
version = sys.version_info
include = sysconfig.get_paths()["include"]
usable = (
    sys.implementation.name == "cpython"
    and (3, 9) <= version[:2] <= (3, 13)
    and version.releaselevel == "final"
    and not sysconfig.get_config_var("Py_GIL_DISABLED")
    and os.path.exists(os.path.join(include, "Python.h"))
)
if usable:
    exe = getattr(sys, "_base_executable", None) or sys.executable
    print(version[1], version[2], exe, include, sysconfig.get_config_var("EXT_SUFFIX"))
'

candidates() {
    if [ -n "${SABIR_PYTHONS:-}" ]; then
        echo "$SABIR_PYTHONS" | tr ' :' '[\n*]'
        return
    fi
    for minor in 9 10 11 12 13; do
        command -v "python3.$minor"
        ls -d "${PYENV_ROOT:-${HOME:-/nonexistent}/.pyenv}"/versions/3.$minor.*/bin/python3.$minor 2>/dev/null
    done
    echo /usr/bin/python3
}

candidates | sort -u | while read -r python; do
    # -I: neither the user's site packages nor PYTHONPATH may change the answer.
    [ -n "$python" ] && "$python" -I -c "$probe" 2>/dev/null </dev/null
done | sort -k1,1n -k2,2nr -k3,3 | awk '!seen[$1]++ { print $1, $3, $4, $5 }'
