"""C and C++ rules of our own code: warnings are errors, symbols are hidden, everything links statically.

Every target of ours uses these instead of cc_library, cc_binary and cc_test. All compile without -DNDEBUG
making a difference: our checks are SABIR_CHECK, never assert().
"""

# Fuzzers are built by clang, which has other warnings and other options.
def _gcc(options):
    return select({
        "//tools/bazel:fuzzing": [],
        "//conditions:default": options,
    })

_COPTS = [
    "-Wall",
    "-Wextra",
] + _gcc(["-Werror"]) + [
    "-fvisibility=hidden",
    "-ffunction-sections",
    "-fdata-sections",
]

# What only C++ knows. A GNU-unique symbol escapes every version script, and a library with one is never unloaded.
_CXXOPTS = [
    "-fvisibility-inlines-hidden",
] + _gcc(["-fno-gnu-unique"]) + [
    # What a designated initializer leaves out has its default, on purpose.
    "-Wno-missing-field-initializers",
]

_COPTS_C = [
    "-std=c11",
    "-pedantic",
    "-Wstrict-prototypes",
]

# A compiler that was upgraded compiles again (see host.bzl).
_TOOLCHAIN = ["@host//:toolchain"]

# libstdc++ and libgcc inside the file, so that it needs nothing but glibc. The plain -static-libstdc++ has
# no effect with Bazel's toolchain, which appends -lstdc++; the trailing --as-needed makes that one empty.
# The sanitizers' runtimes must meet one libstdc++ only, so there it stays shared.
STATIC_RUNTIME_LINKOPTS = select({
    "//tools/bazel:sanitizer": [],
    "//conditions:default": [
        "-static-libgcc",
        "-l:libstdc++.a",
        "-Wl,--as-needed",
    ],
})

_GC = ["-Wl,--gc-sections"]

def _copts(srcs, copts):
    language = _COPTS_C if srcs and all([s.endswith(".c") or s.endswith(".h") for s in srcs]) else _CXXOPTS
    return _COPTS + language + copts

def sabir_cc_library(name, srcs = [], hdrs = [], deps = [], copts = [], **kwargs):
    """A library. Include its headers by their path from the checkout's root."""
    native.cc_library(
        name = name,
        srcs = srcs,
        hdrs = hdrs,
        copts = _copts(srcs, copts),
        linkstatic = True,
        deps = deps + _TOOLCHAIN,
        **kwargs
    )

def sabir_cc_binary(name, srcs, deps = [], copts = [], linkopts = [], **kwargs):
    """An executable that needs only glibc."""
    native.cc_binary(
        name = name,
        srcs = srcs,
        copts = _copts(srcs, copts),
        linkopts = _GC + linkopts + STATIC_RUNTIME_LINKOPTS,
        linkstatic = True,
        deps = deps + _TOOLCHAIN,
        **kwargs
    )

def sabir_cc_test(name, srcs, deps = [], copts = [], size = "small", **kwargs):
    """A GoogleTest test; GoogleMock is there too. main() comes with it."""
    native.cc_test(
        name = name,
        size = size,
        srcs = srcs,
        copts = _copts(srcs, copts),
        linkstatic = True,
        deps = deps + _TOOLCHAIN + ["@host//:gmock", "@host//:gtest_main"],
        **kwargs
    )

def sabir_cc_fuzzer(name, srcs, deps = [], **kwargs):
    """A library with libFuzzer's entry point, for tests, and NAME_fuzzer, which --config=fuzz builds."""
    sabir_cc_library(
        name = name,
        testonly = True,
        srcs = srcs,
        deps = deps,
        alwayslink = True,
        **kwargs
    )
    native.cc_binary(
        name = name + "_fuzzer",
        testonly = True,
        linkopts = ["-fsanitize=fuzzer"],
        linkstatic = True,
        tags = ["manual"],
        deps = [":" + name],
    )

def sabir_c_test(name, srcs, deps = [], copts = [], size = "small", **kwargs):
    """A strict C11 program; it passes when main() returns 0."""
    native.cc_test(
        name = name,
        size = size,
        srcs = srcs,
        copts = _copts(srcs, copts),
        linkstatic = True,
        deps = deps + _TOOLCHAIN,
        **kwargs
    )

def sabir_cc_benchmark(name, srcs, deps = [], copts = [], **kwargs):
    """A Google Benchmark program with its own main(); not a test. Run it with `bazel run`."""
    native.cc_binary(
        name = name,
        srcs = srcs,
        copts = _copts(srcs, copts),
        linkstatic = True,
        deps = deps + _TOOLCHAIN + ["@host//:benchmark"],
        **kwargs
    )

def sabir_shared_library(name, srcs, version_script, deps = [], copts = [], linkopts = [], soname = None, additional_inputs = [], **kwargs):
    """A shared library `name` (with its .so) that exports what version_script lists and needs only glibc."""
    native.cc_binary(
        name = name,
        srcs = srcs,
        additional_linker_inputs = [version_script] + additional_inputs,
        copts = _copts(srcs, copts),
        linkopts = _GC + [
            "-Wl,--version-script,$(location %s)" % version_script,
            "-Wl,-soname," + (soname or name),
            "-Wl,-z,text",
        ] + linkopts + select({
            # A sanitizer's symbols come from the executable that loads the library.
            "//tools/bazel:sanitizer": [],
            "//conditions:default": ["-Wl,-z,defs"],
        }) + STATIC_RUNTIME_LINKOPTS,
        linkshared = True,
        linkstatic = True,
        deps = deps + _TOOLCHAIN,
        **kwargs
    )
