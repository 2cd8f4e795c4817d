"""spin_test: checks a Promela model exhaustively."""

def _spin_test_impl(ctx):
    runner = ctx.file._runner
    words = [
        runner.short_path,
        ctx.file.model.short_path,
        ctx.attr.expect,
        "'%s'" % " ".join(["-D" + d for d in ctx.attr.defines]),
        "'%s'" % " ".join(["-D" + d for d in ctx.attr.pan_defines]),
        "'%s'" % " ".join(ctx.attr.pan_args),
    ]
    ctx.actions.write(
        ctx.outputs.executable,
        "#!/bin/sh\nexec sh %s\n" % " ".join(words),
        is_executable = True,
    )
    return [DefaultInfo(runfiles = ctx.runfiles([runner, ctx.file.model] + ctx.files.data))]

spin_test = rule(
    _spin_test_impl,
    test = True,
    attrs = {
        "model": attr.label(allow_single_file = [".pml"], mandatory = True),
        "data": attr.label_list(allow_files = True, doc = "files the model includes"),
        "defines": attr.string_list(doc = "for the model: X or X=1"),
        "pan_defines": attr.string_list(
            default = ["SAFETY", "COLLAPSE", "MEMLIM=3000"],
            doc = "for the verifier: SAFETY for assertions and invalid end states; leave it out for liveness or ltl",
        ),
        "pan_args": attr.string_list(default = ["-m10000000"], doc = "-a: acceptance cycles; -N name: an ltl claim"),
        "_runner": attr.label(default = "//tools/bazel:spin_test.sh", allow_single_file = True),
        "expect": attr.string(values = ["ok", "violation"], default = "ok"),
    },
    doc = """One model in one variant. expect = "ok": the whole state space is searched and has no error;
"violation": an error is found (a mutation of the model must be caught). A search that is cut short (depth,
memory) fails either way.""",
)
