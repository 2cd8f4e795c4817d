"""Python: extension modules for every interpreter of this machine, and tests run by one of them."""

load("@host_pythons//:defs.bzl", "PYTHONS")
load("//tools/bazel:cc.bzl", "STATIC_RUNTIME_LINKOPTS")

# Without it a module would export the libstdc++ inside it.
_VERSION_SCRIPT = "//tools/bazel:python_module.map"

def py_extensions(name, srcs, deps = [], libs = [], copts = [], linkopts = [], tags = [], **kwargs):
    """One extension module per interpreter: NAME.cpython-39-x86_64-linux-gnu.so, ...; `name` is all of them.

    Args:
      name: the module's name, as in PyInit_<name>.
      srcs: C++ sources, compiled once per interpreter; keep them thin, put the rest into deps (compiled once).
      deps: C++ libraries; pybind11 and Python.h are added.
      libs: shared libraries built here that the module needs; found beside it at run time ($ORIGIN).
      copts: as usual.
      linkopts: as usual.
      tags: as usual.
      **kwargs: passed on.
    """
    modules = []
    for python in PYTHONS:
        module = name + python.ext_suffix
        modules.append(":" + module)
        native.cc_binary(
            name = module,
            srcs = srcs,
            copts = [
                "-Wall",
                "-Wextra",
                "-Werror",
                "-Wno-missing-field-initializers",
                "-fvisibility=hidden",
                "-fvisibility-inlines-hidden",
                "-fno-gnu-unique",
                "-fexceptions",
                "-frtti",
            ] + copts,
            # Named to the linker as files: as srcs, they would bring run paths into Bazel's folders.
            additional_linker_inputs = [_VERSION_SCRIPT] + libs,
            data = libs,
            linkopts = ["$(location %s)" % lib for lib in libs] + [
                "-Wl,--gc-sections",
                "-Wl,--version-script,$(location %s)" % _VERSION_SCRIPT,
                "-Wl,-z,text",
                "-Wl,-rpath,$$ORIGIN",
            ] + linkopts + STATIC_RUNTIME_LINKOPTS,
            linkshared = True,
            linkstatic = True,
            # One interpreter is enough for clang-tidy.
            tags = tags + ([] if python == PYTHONS[-1] else ["no_tidy"]),
            deps = deps + ["@host//:toolchain", "@host_pythons//:" + python.tag],
            **kwargs
        )
    native.filegroup(name = name, srcs = modules, **kwargs)

def _python_test_impl(ctx):
    paths = ["$TEST_SRCDIR/$TEST_WORKSPACE/" + path for path in ctx.attr.path]
    ctx.actions.write(
        ctx.outputs.executable,
        "#!/bin/sh\nPYTHONPATH=%s PYTHONDONTWRITEBYTECODE=1 exec %s %s %s \"$@\"\n" % (
            ":".join(paths),
            PYTHONS[-1].python,
            ctx.file.src.short_path,
            " ".join([ctx.expand_location(arg, ctx.attr.data) for arg in ctx.attr.arguments]),
        ),
        is_executable = True,
    )
    files = ctx.runfiles([ctx.file.src] + ctx.files.data)
    for target in ctx.attr.data:
        files = files.merge(target[DefaultInfo].default_runfiles)
    return [DefaultInfo(runfiles = files)]

python_test = rule(
    _python_test_impl,
    test = True,
    attrs = {
        "src": attr.label(allow_single_file = [".py"], mandatory = True),
        "data": attr.label_list(allow_files = True),
        "arguments": attr.string_list(doc = "$(rootpath ...) of data is expanded"),
        "path": attr.string_list(default = ["."], doc = "PYTHONPATH, from the checkout's root"),
    },
    doc = "A plain script, standard library only, run by the newest interpreter; it passes when it exits with 0.",
)

def _python_package_impl(ctx):
    lines = []
    files = []
    prefix = ctx.label.package + "/"
    for file in ctx.files.srcs:
        inside = file.short_path
        if not inside.startswith(prefix):
            fail("%s is not beneath %s; name it in native" % (inside, prefix))
        lines.append("%s\t%s" % (inside[len(prefix):], file.path))
        files.append(file)
    for target, folder in ctx.attr.native.items():
        for file in target.files.to_list():
            lines.append("%s/%s\t%s" % (folder, file.basename, file.path))
            files.append(file)
    manifest = ctx.actions.declare_file(ctx.label.name + ".manifest")
    ctx.actions.write(manifest, "".join([line + "\n" for line in lines]))
    return [DefaultInfo(files = depset([manifest] + files))]

python_package = rule(
    _python_package_impl,
    attrs = {
        "srcs": attr.label_list(allow_files = True, doc = "keep their path beneath this folder"),
        "native": attr.label_keyed_string_dict(allow_files = True, doc = "what is built -> folder in the package"),
    },
    doc = """The files of a Python package, in NAME.manifest: "path in the package<TAB>file". tools/dev copies them to
.build/python and makes wheels of them.""",
)
