"""Code generators: capnp_library (Cap'n Proto) and fbs_library (FlatBuffers)."""

def _capnp_impl(ctx):
    hdrs = []
    srcs = []
    for schema in ctx.files.srcs:
        header = ctx.actions.declare_file(schema.basename + ".h")
        source = ctx.actions.declare_file(schema.basename + ".c++")
        hdrs.append(header)
        srcs.append(source)
        ctx.actions.run(
            executable = ctx.executable._capnp,
            arguments = [
                "compile",
                "-o%s:%s" % (ctx.executable._plugin.path, header.root.path),
                "-I.",
                "--no-standard-import",
                "-I" + ctx.file._standard.dirname + "/..",
                "--src-prefix=.",
                schema.path,
            ],
            inputs = ctx.files.srcs + ctx.files.imports + ctx.files._schemas,
            tools = [ctx.executable._plugin],
            outputs = [header, source],
            mnemonic = "Capnp",
            progress_message = "Compiling schema " + schema.short_path,
        )
    return [
        DefaultInfo(files = depset(hdrs + srcs)),
        OutputGroupInfo(hdrs = depset(hdrs), srcs = depset(srcs)),
    ]

_capnp = rule(
    _capnp_impl,
    attrs = {
        "srcs": attr.label_list(allow_files = [".capnp"]),
        "imports": attr.label_list(allow_files = [".capnp"]),
        "_capnp": attr.label(default = "@host//:bin/capnp", executable = True, cfg = "host", allow_single_file = True),
        "_plugin": attr.label(default = "@host//:bin/capnpc-c++", executable = True, cfg = "host", allow_single_file = True),
        "_schemas": attr.label(default = "@capnp//:schemas"),
        "_standard": attr.label(default = "@capnp//:src/capnp/c++.capnp", allow_single_file = True),
    },
    output_to_genfiles = True,
)

def capnp_library(name, srcs, imports = [], deps = [], visibility = None, **kwargs):
    """C++ for .capnp files: #include "<path of x.capnp>.h". Imports in a schema start at the root: "/schema/y.capnp".

    Args:
      name: of the C++ library.
      srcs: the .capnp files.
      imports: .capnp files of other packages that srcs import (also name their libraries in deps).
      deps: other capnp_library targets.
      visibility: as usual.
      **kwargs: passed on.
    """
    _capnp(name = name + "_gen", srcs = srcs, imports = imports, visibility = ["//visibility:private"])
    native.filegroup(name = name + "_hdrs", srcs = [":" + name + "_gen"], output_group = "hdrs")
    native.filegroup(name = name + "_srcs", srcs = [":" + name + "_gen"], output_group = "srcs")
    native.cc_library(
        name = name,
        srcs = [":" + name + "_srcs"],
        hdrs = [":" + name + "_hdrs"],
        copts = ["-w", "-fvisibility=hidden", "-fvisibility-inlines-hidden", "-ffunction-sections", "-fdata-sections"],
        linkstatic = True,
        strip_include_prefix = "/",  # schemas that import others include <schema/y.capnp.h>
        visibility = visibility,
        deps = deps + ["@capnp//:capnp_rpc", "@host//:toolchain"],
        **kwargs
    )

def _fbs_impl(ctx):
    hdrs = []
    for schema in ctx.files.srcs:
        header = ctx.actions.declare_file(schema.basename[:-len(".fbs")] + "_generated.h")
        hdrs.append(header)
        ctx.actions.run(
            executable = ctx.executable._flatc,
            arguments = ["--cpp", "--scoped-enums", "-I", ".", "-o", header.dirname, schema.path],
            inputs = ctx.files.srcs + ctx.files.imports,
            outputs = [header],
            mnemonic = "Flatc",
            progress_message = "Compiling schema " + schema.short_path,
        )
    return [DefaultInfo(files = depset(hdrs))]

_fbs = rule(
    _fbs_impl,
    attrs = {
        "srcs": attr.label_list(allow_files = [".fbs"]),
        "imports": attr.label_list(allow_files = [".fbs"]),
        "_flatc": attr.label(default = "@host//:bin/flatc", executable = True, cfg = "host", allow_single_file = True),
    },
    output_to_genfiles = True,
)

def fbs_library(name, srcs, imports = [], deps = [], **kwargs):
    """C++ for .fbs files: #include "<path of x>_generated.h"."""
    _fbs(name = name + "_gen", srcs = srcs, imports = imports)
    native.cc_library(
        name = name,
        hdrs = [":" + name + "_gen"],
        deps = deps + ["@host//:flatbuffers"],
        **kwargs
    )
