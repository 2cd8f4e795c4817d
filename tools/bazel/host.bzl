"""Repository @host: C and C++ libraries and programs of this machine, as Bazel targets.

Nothing is downloaded. Tools that Debian has too old come from .venv (`tools/dev setup`). Headers under /usr/include need no declaration, but are no inputs of any action either:
each library therefore carries a generated header with the versions of its Debian packages, so that an upgrade
recompiles what uses it. What is missing fails only where it is used, and says which package brings it.
"""

_LIBDIR = "/usr/lib/x86_64-linux-gnu"

# target -> (archive, link options, targets it needs, Debian package). For executables only: these archives cannot
# be linked into a shared library.
_ARCHIVES = {
    "uv": ("libuv_a.a", ["-lpthread", "-ldl", "-lrt"], [], "libuv1-dev"),
    "jemalloc": ("libjemalloc_pic.a", ["-lpthread", "-ldl", "-lm"], [], "libjemalloc-dev"),
    "ssl": ("libssl.a", [], ["crypto"], "libssl-dev"),
    "crypto": ("libcrypto.a", ["-lpthread", "-ldl"], [], "libssl-dev"),
    "sqlite3": ("libsqlite3.a", ["-lpthread", "-ldl", "-lm"], [], "libsqlite3-dev"),
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

# Without it, headers of FlatBuffers want a symbol of its library, which cannot be linked into a shared library.
_DEFINES = {"flatbuffers": ["FLATBUFFERS_LOCALE_INDEPENDENT=0"]}

# program -> Debian package
_PROGRAMS = {
    "capnp": "capnproto",
    "capnpc-c++": "capnproto",
    "flatc": "flatbuffers-compiler",
    "spin": "spin",
}

# program -> (where it lies in .venv, Python package). clang-tidy: Debian's walks all system headers, three times slower.
_VENV_PROGRAMS = {
    "clang-tidy": ("lib/python3*/site-packages/clang_tidy/data/bin/clang-tidy", "clang-tidy"),
}

# What every compilation depends on.
_TOOLCHAIN = ["g++-12", "libstdc++-12-dev", "libc6-dev", "linux-libc-dev", "binutils"]

_MISSING = """
genrule(
    name = "{name}_missing",
    outs = ["{out}"],
    cmd = "echo >&2; echo 'Missing on this machine: {package}. Run: tools/dev setup' >&2; exit 1",
    executable = {executable},
)
"""

def _versions(rctx):
    packages = {package: True for package in _TOOLCHAIN}
    for item in _ARCHIVES.values() + _HEADERS.values():
        packages[item[-1]] = True
    result = rctx.execute(["dpkg-query", "-W", "-f", "${Package} ${Version}\\n"] + packages.keys())
    return dict([line.split(" ") for line in result.stdout.strip().split("\n") if " " in line])

def _library(rctx, versions, name, packages, linkopts = [], srcs = [], deps = []):
    header = "versions/%s.h" % name
    rctx.file(header, "".join(["// %s %s\n" % (p, versions.get(p, "none")) for p in packages]))
    return "cc_library(name = %r, srcs = %r, hdrs = [%r], defines = %r, linkopts = %r, deps = %r)" % (
        name,
        srcs,
        header,
        _DEFINES.get(name, []),
        linkopts,
        [":" + dep for dep in deps],
    )

def _missing_library(name, package):
    out = "missing/%s.h" % name
    return (_MISSING.format(name = name, out = out, package = "Debian package " + package, executable = False) +
            "cc_library(name = %r, hdrs = [%r])" % (name, out))

def _program(rctx, name, path, package):
    out = "bin/" + name
    if not path:
        return _MISSING.format(name = name, out = out, package = package, executable = True)
    rctx.symlink(path, out)
    return "exports_files([%r])" % out

def _in_venv(rctx, pattern):
    checkout = str(rctx.path(Label("//:WORKSPACE")).dirname)
    found = rctx.execute(["sh", "-c", 'ls -d "$1"/.venv/' + pattern + " 2>/dev/null | tail -n 1", "sh", checkout])
    return found.stdout.strip()

def _host_libs_impl(rctx):
    versions = _versions(rctx)
    build = ['package(default_visibility = ["//visibility:public"])']
    build.append(_library(rctx, versions, "toolchain", _TOOLCHAIN))
    for name, (archive, linkopts, deps, package) in _ARCHIVES.items():
        path = _LIBDIR + "/" + archive
        if rctx.path(path).exists:
            rctx.symlink(path, "lib/" + archive)
            build.append(_library(rctx, versions, name, [package], linkopts, ["lib/" + archive], deps))
        else:
            build.append(_missing_library(name, package))
    for name, (header, linkopts, package) in _HEADERS.items():
        if rctx.path("/usr/include/" + header).exists:
            build.append(_library(rctx, versions, name, [package], linkopts))
        else:
            build.append(_missing_library(name, package))
    for program, package in _PROGRAMS.items():
        path = rctx.path("/usr/bin/" + program)
        build.append(_program(rctx, program, path if path.exists else "", "Debian package " + package))
    for program, (pattern, package) in _VENV_PROGRAMS.items():
        build.append(_program(rctx, program, _in_venv(rctx, pattern), "Python package " + package))
    rctx.file("BUILD.bazel", "\n".join(build) + "\n")

host_libs = repository_rule(
    _host_libs_impl,
    local = True,
    configure = True,
    # tools/dev changes it when packages change; a server that starts looks again anyway.
    environ = ["SABIR_HOST_FINGERPRINT"],
    doc = "See the top of this file.",
)
