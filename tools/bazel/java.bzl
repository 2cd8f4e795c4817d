"""Java: jars, generated sources and JUnit 5 tests, by the JDK of this machine (host_java.bzl).

Jars have fixed times: the same sources give the same bytes, so that what depends on them can come from the cache.
"""

load("@host_java//:defs.bzl", "JAVA_HOME", "JAVA_MISSING", "JAVA_RELEASE")

JarInfo = provider("A jar and what it needs.", fields = {"jars": "depset of jars"})

_CHECK = """set -eu
if [ -z "$1" ]; then echo "$2" >&2; exit 1; fi
home=$1; shift 3
"""

def _run(ctx, command, inputs, outputs, arguments, mnemonic):
    """`command` sees $home, and its arguments from $1 on."""
    ctx.actions.run_shell(
        command = _CHECK + command,
        arguments = [JAVA_HOME, JAVA_MISSING, JAVA_RELEASE] + arguments,
        inputs = inputs,
        outputs = outputs,
        mnemonic = mnemonic,
        progress_message = "%s %s" % (mnemonic, ctx.label),
    )

def _deps(ctx):
    return depset(ctx.files.jars, transitive = [dep[JarInfo].jars for dep in ctx.attr.deps])

def _java_library_impl(ctx):
    jar = ctx.actions.declare_file(ctx.attr.jar or ctx.label.name + ".jar")
    sources = ctx.actions.declare_file(jar.basename[:-len(".jar")] + "-sources.jar")
    deps = _deps(ctx)
    args = ctx.actions.args()
    args.use_param_file("@%s", use_always = True)
    args.set_param_file_format("multiline")
    args.add_all(ctx.files.srcs)
    resources = ctx.actions.args()
    manifest = "".join(["%s: %s\n" % item for item in ctx.attr.manifest.items()])
    resource_files = []
    for target, folder in ctx.attr.resources.items():
        for file in target.files.to_list():
            resource_files.append(file)
            resources.add("%s=%s/%s" % (file.path, folder, file.basename))
    _run(
        ctx,
        """out=$1; sources=$2; release=$3; manifest=$4; path=$5; list=$6; shift 6
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/classes" "$tmp/sources" "$tmp/generated"
for entry in "$@"; do
  mkdir -p "$tmp/classes/$(dirname "${entry#*=}")"
  cp -L "${entry%%=*}" "$tmp/classes/${entry#*=}"
done
# Generated sources come as jars.
while read -r file; do
  case "$file" in
    *.srcjar) (here=$PWD; cd "$tmp/sources" && "$home/bin/jar" --extract --file "$here/$file") ;;
    *) target=$(sed -n 's/^package \\(.*\\);$/\\1/p' "$file" | tr . /)
       mkdir -p "$tmp/sources/$target" && cp -L "$file" "$tmp/sources/$target/" ;;
  esac
done <"${list#@}"
rm -rf "$tmp/sources/META-INF"
find "$tmp/sources" -name '*.java' | LC_ALL=C sort >"$tmp/files"
"$home/bin/javac" --release "$release" -encoding UTF-8 -proc:none -Xlint:all,-serial,-processing,-try -Werror -g -cp "$path" -d "$tmp/classes" "@$tmp/files" 2>"$tmp/log" ||
  { sed "s#$tmp/sources/##" "$tmp/log" >&2; exit 1; }
printf '%s' "$manifest" >"$tmp/manifest"
date=--date=1980-01-01T00:00:02Z
"$home/bin/jar" --create --file "$out" --manifest "$tmp/manifest" $date -C "$tmp/classes" .
"$home/bin/jar" --create --file "$sources" --no-manifest $date -C "$tmp/sources" .
""",
        inputs = depset(ctx.files.srcs + resource_files, transitive = [deps]),
        outputs = [jar, sources],
        arguments = [
            jar.path,
            sources.path,
            ctx.attr.release,
            manifest,
            ":".join([dep.path for dep in deps.to_list()]),
            args,
            resources,
        ],
        mnemonic = "Javac",
    )
    return [
        DefaultInfo(files = depset([jar]), runfiles = ctx.runfiles(transitive_files = depset([jar], transitive = [deps]))),
        OutputGroupInfo(sources = depset([sources])),
        JarInfo(jars = depset([jar], transitive = [deps])),
    ]

host_java_library = rule(
    _java_library_impl,
    attrs = {
        "srcs": attr.label_list(allow_files = [".java", ".srcjar"], mandatory = True),
        "deps": attr.label_list(providers = [JarInfo]),
        "jars": attr.label_list(allow_files = [".jar"], doc = "of the machine"),
        "jar": attr.string(doc = "the file's name, by default that of the rule"),
        "manifest": attr.string_dict(),
        "resources": attr.label_keyed_string_dict(allow_files = True, doc = "file -> its folder in the jar"),
        "release": attr.string(default = "17"),
    },
    doc = "A jar of classes, and with output group `sources` one of sources.",
)

def _java_generated_impl(ctx):
    out = ctx.actions.declare_file(ctx.label.name + ".srcjar")
    _run(
        ctx,
        """tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
"$home/bin/java" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "$1" "$tmp"
"$home/bin/jar" --create --file "$2" --no-manifest --date=1980-01-01T00:00:02Z -C "$tmp" .
""",
        inputs = [ctx.file.generator],
        outputs = [out],
        arguments = [ctx.file.generator.path, out.path],
        mnemonic = "JavaGenerate",
    )
    return [DefaultInfo(files = depset([out]))]

java_generated = rule(
    _java_generated_impl,
    attrs = {"generator": attr.label(allow_single_file = [".java"], mandatory = True)},
    doc = "Sources that a program of one file writes into the folder it is given.",
)

def _junit_test_impl(ctx):
    jars = depset([ctx.file._junit], transitive = [dep[JarInfo].jars for dep in ctx.attr.deps])
    tests = [jar for dep in ctx.attr.deps for jar in dep.files.to_list()]
    flags = [ctx.expand_location(flag, ctx.attr.data).replace("$$", "$") for flag in ctx.attr.jvm_flags]
    ctx.actions.write(
        ctx.outputs.executable,
        """#!/bin/sh
if [ -z "{home}" ]; then echo "{missing}" >&2; exit 1; fi
reports=${{TEST_TMPDIR:-$(mktemp -d)}}/junit
"{home}/bin/java" -XX:+UseSerialGC -XX:-UsePerfData -XX:TieredStopAtLevel=1 -ea {flags} -cp {path} \\
  org.junit.platform.console.ConsoleLauncher execute --disable-banner --disable-ansi-colors --details=tree \\
  --fail-if-no-tests --reports-dir="$reports" {scan} "$@"
status=$?
[ -z "$XML_OUTPUT_FILE" ] || cp "$reports/TEST-junit-jupiter.xml" "$XML_OUTPUT_FILE"
exit $status
""".format(
            home = JAVA_HOME,
            missing = JAVA_MISSING,
            flags = " ".join(flags),
            path = ":".join([jar.short_path.replace("../", "external/") for jar in jars.to_list()]),
            scan = " ".join(["--scan-classpath=" + jar.short_path for jar in tests]),
        ),
        is_executable = True,
    )
    files = ctx.runfiles(ctx.files.data, transitive_files = jars)
    for target in ctx.attr.data + ctx.attr.deps:
        files = files.merge(target[DefaultInfo].default_runfiles)
    return [DefaultInfo(runfiles = files)]

junit_test = rule(
    _junit_test_impl,
    test = True,
    attrs = {
        "deps": attr.label_list(providers = [JarInfo], doc = "the tests in these jars are run"),
        "data": attr.label_list(allow_files = True),
        "jvm_flags": attr.string_list(doc = "$(rootpath ...) of data is expanded"),
        "_junit": attr.label(default = "@host_java//:junit.jar", allow_single_file = True),
    },
    doc = "JUnit 5 tests in a JVM of their own.",
)
