"""What is shipped needs glibc only, exports only its own names, and works.

artifacts_test.py LIBRARY DAEMON MODULE...
"""

import ctypes
import importlib
import os
import re
import subprocess
import sys

GLIBC = {"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "ld-linux-x86-64.so.2"}


def needed(path):
    out = subprocess.run(["readelf", "-d", path], check=True, capture_output=True, text=True).stdout
    return set(re.findall(r"NEEDED.*\[(.*)\]", out))


def exported(path):
    out = subprocess.run(["nm", "-D", "--defined-only", path], check=True, capture_output=True, text=True).stdout
    symbols = [line.split()[1:] for line in out.splitlines()]
    # Global kinds are capital letters, and u, v, w (unique, weak); A is the name of a symbol version.
    return {name.split("@")[0] for kind, name in symbols if kind in "uvw" or kind in "BCDGRSTVW"}


def check_exports(path, expected):
    found = exported(path)
    assert found == expected, f"{path} exports {sorted(found ^ expected)[:5]} ..."


def main():
    library, daemon, *modules = sys.argv[1:]
    for path in [library, daemon]:
        assert needed(path) <= GLIBC, (path, needed(path))

    check_exports(library, {"probe_echo"})
    assert ctypes.CDLL(os.path.abspath(library)).probe_echo() == 1
    subprocess.run([os.path.abspath(daemon)], check=True)

    assert modules
    for module in modules:
        assert needed(module) <= GLIBC | {"libprobe.so"}, (module, needed(module))
        check_exports(module, {"PyInit__probe"})
    sys.path.insert(0, os.path.dirname(os.path.abspath(modules[0])))
    assert importlib.import_module("_probe").echo()


main()
