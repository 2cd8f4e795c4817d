"""Repository @host_pythons: every CPython 3.9 to 3.13 of this machine, and pybind11's headers.

@host_pythons//:defs.bzl holds PYTHONS, a list of structs (minor, tag, python, ext_suffix), oldest first.
Targets: py39_headers ... py313_headers, and py39 ... py313, which add pybind11.
"""

_BUILD = """
cc_library(
    name = "{tag}_headers",
    hdrs = glob(["{tag}_include/**/*.h"]),
    includes = ["{tag}_include"],
)

cc_library(
    name = "{tag}",
    hdrs = glob(["pybind11_include/pybind11/**/*.h"]),
    includes = ["pybind11_include"],
    deps = [":{tag}_headers"],
)
"""

def _pybind11_include(rctx):
    checkout = rctx.path(Label("//:WORKSPACE")).dirname
    found = rctx.execute([
        "sh",
        "-c",
        'ls -d "$1"/.venv/lib/python3*/site-packages/pybind11/include 2>/dev/null | tail -n 1',
        "sh",
        str(checkout),
    ]).stdout.strip()
    if found:
        return found + "/pybind11"
    if rctx.path("/usr/include/pybind11/pybind11.h").exists:
        return "/usr/include/pybind11"
    return fail("\n\nNo pybind11: run `tools/dev setup` (it goes into .venv), " +
                "or install the Debian package pybind11-dev.\n")

def _host_pythons_impl(rctx):
    script = rctx.path(Label("//tools/bazel:find_pythons.sh"))
    result = rctx.execute(["sh", script])
    if result.return_code or not result.stdout.strip():
        fail("\n\nNo CPython 3.9 to 3.13 with headers on this machine: run `tools/dev setup`, " +
             "or install the Debian package python3-dev.\n" + result.stderr)
    rctx.symlink(_pybind11_include(rctx), "pybind11_include/pybind11")
    build = ['package(default_visibility = ["//visibility:public"])']
    pythons = []
    for line in result.stdout.strip().split("\n"):
        minor, python, include, ext_suffix = line.split(" ")
        tag = "py3" + minor
        rctx.symlink(include, tag + "_include")
        build.append(_BUILD.format(tag = tag))
        pythons.append("    struct(minor = %s, tag = %r, python = %r, ext_suffix = %r)," % (
            minor,
            tag,
            python,
            ext_suffix,
        ))
    rctx.file("BUILD.bazel", "\n".join(build))
    rctx.file("defs.bzl", "PYTHONS = [\n%s\n]\n" % "\n".join(pythons))

host_pythons = repository_rule(
    _host_pythons_impl,
    local = True,
    configure = True,
    environ = ["HOME", "PYENV_ROOT", "SABIR_PYTHONS", "SABIR_HOST_FINGERPRINT"],
    doc = "See the top of this file.",
)
