"""Repository @host: C and C++ libraries and code generators of this machine, as Bazel targets.

Headers under /usr/include need no declaration. Nothing is downloaded.
"""

_LIBDIR = "/usr/lib/x86_64-linux-gnu"

# target -> (archive, link options, targets it needs, Debian package). Linked into executables only:
# these archives are not position independent enough for a shared library (jemalloc_pic is).
_STATIC = {
    "uv": ("libuv_a.a", ["-lpthread", "-ldl", "-lrt"], [], "libuv1-dev"),
    "jemalloc": ("libjemalloc_pic.a", ["-lpthread", "-ldl", "-lm"], [], "libjemalloc-dev"),
    "gtest": ("libgtest.a", ["-lpthread"], [], "libgtest-dev"),
    "gmock": ("libgmock.a", [], ["gtest"], "libgmock-dev"),
    "gtest_main": ("libgtest_main.a", [], ["gtest"], "libgtest-dev"),
}

# target -> (a header that must exist, link options, Debian package)
_HEADERS = {
    "benchmark": ("benchmark/benchmark.h", ["-lbenchmark", "-lpthread"], "libbenchmark-dev"),
    "cli11": ("CLI/CLI.hpp", [], "libcli11-dev"),
    "flatbuffers": ("flatbuffers/flatbuffers.h", [], "libflatbuffers-dev"),
    "nlohmann_json": ("nlohmann/json.hpp", [], "nlohmann-json3-dev"),
    "xxhash": ("xxhash.h", [], "libxxhash-dev"),
}

# program -> Debian package
_PROGRAMS = {
    "capnp": "capnproto",
    "capnpc-c++": "capnproto",
    "clang-tidy-14": "clang-tidy-14",
    "flatc": "flatbuffers-compiler",
    "spin": "spin",
}

def _host_libs_impl(rctx):
    missing = {}
    build = ['package(default_visibility = ["//visibility:public"])']
    for name, (archive, linkopts, deps, package) in _STATIC.items():
        path = _LIBDIR + "/" + archive
        if not rctx.path(path).exists:
            missing[package] = path
            continue
        rctx.symlink(path, "lib/" + archive)
        build.append("cc_library(name = %r, srcs = [%r], linkopts = %r, deps = %r)" % (
            name,
            "lib/" + archive,
            linkopts,
            [":" + dep for dep in deps],
        ))
    for name, (header, linkopts, package) in _HEADERS.items():
        path = "/usr/include/" + header
        if not rctx.path(path).exists:
            missing[package] = path
            continue
        build.append("cc_library(name = %r, linkopts = %r)" % (name, linkopts))
    for program, package in _PROGRAMS.items():
        path = rctx.path("/usr/bin/" + program)
        if not path.exists:
            missing[package] = str(path)
            continue
        rctx.symlink(path, "bin/" + program)
    if missing:
        fail("\n\nMissing on this machine:\n" +
             "".join(["  Debian package %s (no %s)\n" % item for item in missing.items()]) +
             "Run `tools/dev setup`, or: apt-get install %s\n" % " ".join(missing.keys()))
    build.append('exports_files(glob(["bin/*"]))')
    rctx.file("BUILD.bazel", "\n".join(build) + "\n")

host_libs = repository_rule(
    _host_libs_impl,
    local = True,
    configure = True,
    environ = ["SABIR_HOST_FINGERPRINT"],
    doc = "See the top of this file.",
)
