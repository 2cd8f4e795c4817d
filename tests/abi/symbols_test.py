"""libsabir.so exports exactly the functions of sabir.h, needs only glibc, and says its version."""

import ctypes
import re
import subprocess
import sys

library, listed, header, version = sys.argv[1:]


def lines_of(command: list[str]) -> list[str]:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


# "0000 T sabir_put@@SABIR_1"; the version itself is an absolute symbol.
exported = sorted(
    line.split()[2].split("@")[0]
    for line in lines_of(["nm", "-D", "--defined-only", library])
    if line.split()[1] != "A"
)
with open(listed, encoding="utf-8") as file:
    wanted = sorted(file.read().split())
with open(header, encoding="utf-8") as file:
    declared = sorted(set(re.findall(r"SABIR_API\s+[^;(]*?\b(sabir_\w+)\(", file.read())))

assert exported == wanted, set(exported) ^ set(wanted)
assert exported == declared, set(exported) ^ set(declared)

needed = [line.split("[")[1].rstrip("]") for line in lines_of(["readelf", "-d", library]) if "(NEEDED)" in line]
assert set(needed) <= {"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}, needed


class String(ctypes.Structure):
    _fields_ = [("data", ctypes.c_char_p), ("size", ctypes.c_size_t)]


loaded = ctypes.CDLL(library)
loaded.sabir_version.restype = String
text = loaded.sabir_version()
with open(version, encoding="utf-8") as file:
    assert text.data[: text.size].decode() == file.read().strip()
assert loaded.sabir_abi_version() == 1
