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
"$home/bin/javac" -J-XX:-UsePerfData --release "$release" -encoding UTF-8 -proc:none -Xlint:all,-serial,-processing,-try -Werror -g -cp "$path" -d "$tmp/classes" "@$tmp/files" 2>"$tmp/log" ||
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

def _java_distribution_impl(ctx):
    jar = ctx.actions.declare_file(ctx.label.name + ".jar")
    pom = ctx.actions.declare_file(ctx.label.name + ".pom")
    library = ctx.file.library
    natives = ctx.files.natives
    _run(
        ctx,
        """out=$1; pom=$2; library=$3; template=$4; version=$(cat "$5"); folder=$6; shift 6
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
mkdir -p "$tmp/jar/$folder"
for file in "$@"; do
  strip --strip-unneeded -o "$tmp/jar/$folder/$(basename "$file")" "$file"
done
(cd "$tmp/jar/$folder" && cat $(ls) | sha256sum | cut -c1-32 >"$tmp/DIGEST")
mv "$tmp/DIGEST" "$tmp/jar/$folder/DIGEST"
cp -L "$library" "$tmp/out.jar"
chmod u+w "$tmp/out.jar"
"$home/bin/jar" --update --file "$tmp/out.jar" --date=1980-01-01T00:00:02Z -C "$tmp/jar" .
cp "$tmp/out.jar" "$out"
sed "s/@VERSION@/$version/" "$template" >"$pom"
""",
        inputs = [library, ctx.file.pom, ctx.file.version] + natives,
        outputs = [jar, pom],
        arguments = [jar.path, pom.path, library.path, ctx.file.pom.path, ctx.file.version.path, ctx.attr.folder] +
                    [file.path for file in natives],
        mnemonic = "JavaDistribution",
    )
    return [
        DefaultInfo(files = depset([jar, pom]), runfiles = ctx.runfiles([jar])),
        JarInfo(jars = depset([jar])),
    ]

java_distribution = rule(
    _java_distribution_impl,
    attrs = {
        "library": attr.label(allow_single_file = [".jar"], mandatory = True),
        "natives": attr.label_list(allow_files = True),
        "folder": attr.string(doc = "of the natives in the jar; DIGEST beside them names their content"),
        "pom": attr.label(allow_single_file = True, mandatory = True),
        "version": attr.label(allow_single_file = True, mandatory = True),
    },
    doc = "A jar with stripped native files inside, and its pom.",
)

def _javadoc_impl(ctx):
    jar = ctx.actions.declare_file(ctx.label.name + ".jar")
    _run(
        ctx,
        """tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
here=$PWD; mkdir "$tmp/src" && (cd "$tmp/src" && "$home/bin/jar" --extract --file "$here/$2")
"$home/bin/javadoc" -quiet -notimestamp -Xdoclint:none -encoding UTF-8 -sourcepath "$tmp/src" -subpackages "$3" -exclude "$4" \\
  -d "$tmp/out" >"$tmp/log" 2>&1 || { cat "$tmp/log" >&2; exit 1; }
"$home/bin/jar" --create --file "$1" --no-manifest --date=1980-01-01T00:00:02Z -C "$tmp/out" .
""",
        inputs = [ctx.file.sources],
        outputs = [jar],
        arguments = [jar.path, ctx.file.sources.path, ctx.attr.packages, ":".join(ctx.attr.exclude)],
        mnemonic = "Javadoc",
    )
    return [DefaultInfo(files = depset([jar]))]

javadoc = rule(
    _javadoc_impl,
    attrs = {
        "sources": attr.label(allow_single_file = [".jar"], mandatory = True),
        "packages": attr.string(mandatory = True),
        "exclude": attr.string_list(),
    },
    doc = "A jar of documentation.",
)
