"""clang-tidy as an aspect: `bazel build --config=tidy //runtime/...`. Each source is checked once per change.

Looks at the C++ sources of our libraries and programs; tests are left out, and what has the tag "no_tidy".
"""

_KINDS = ["cc_library", "cc_binary"]

def _sources(ctx):
    files = []
    for src in getattr(ctx.rule.attr, "srcs", []):
        for file in src.files.to_list():
            if file.is_source and file.extension == "cc" and not file.owner.workspace_name:
                files.append(file)
    return files

def _own_headers(ctx):
    files = []
    for attribute in ["srcs", "hdrs"]:
        for target in getattr(ctx.rule.attr, attribute, []):
            files.extend([f for f in target.files.to_list() if f.extension in ["h", "inc"]])
    return files

def _clang_tidy_impl(_target, ctx):
    sources = _sources(ctx)
    if ctx.rule.kind not in _KINDS or not sources or "no_tidy" in ctx.rule.attr.tags:
        return [OutputGroupInfo(clang_tidy = depset())]
    headers = cc_common.merge_cc_infos(
        cc_infos = [dep[CcInfo] for dep in ctx.rule.attr.deps if CcInfo in dep],
    ).compilation_context
    inputs = depset(
        _own_headers(ctx) + ctx.files._config + [ctx.file._prelude],
        transitive = [headers.headers],
    )
    stamps = []
    for source in sources:
        stamp = ctx.actions.declare_file("%s.%s.clang_tidy" % (ctx.label.name, source.basename))
        stamps.append(stamp)
        flags = ctx.actions.args()
        flags.add("-xc++")
        flags.add("-std=c++20")

        # See the top of that file.
        flags.add("-include", ctx.file._prelude.path)
        flags.add("-iquote.")
        flags.add("-iquote" + ctx.bin_dir.path)
        flags.add_all(headers.quote_includes, before_each = "-iquote")
        flags.add_all(headers.includes, before_each = "-isystem")
        flags.add_all(headers.system_includes, before_each = "-isystem")
        flags.add_all(headers.defines, format_each = "-D%s")
        ctx.actions.run(
            executable = ctx.executable._tidy_runner,
            arguments = [ctx.file._tidy.path, source.path, stamp.path, flags],
            inputs = depset([source], transitive = [inputs]),
            tools = [ctx.file._tidy],
            outputs = [stamp],
            mnemonic = "ClangTidy",
            progress_message = "Checking " + source.short_path,
        )
    return [OutputGroupInfo(clang_tidy = depset(stamps))]

clang_tidy = aspect(
    _clang_tidy_impl,
    attrs = {
        "_tidy_runner": attr.label(
            default = "//tools/bazel:tidy.sh",
            allow_single_file = True,
            executable = True,
            cfg = "host",
        ),
        "_prelude": attr.label(default = "//tools/bazel:tidy_prelude.h", allow_single_file = True),
        "_config": attr.label(default = "//tools/bazel:clang_tidy_config"),
        "_tidy": attr.label(default = "@host//:bin/clang-tidy", allow_single_file = True),
    },
)
