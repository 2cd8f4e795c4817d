"""Repository @host_java: the JDK 17 of this machine, JNI's headers, and JUnit from tools/dev's cache.

What is missing fails where it is used, and says how to get it.
"""

JUNIT_VERSION = "1.10.2"

_PACKAGE = "openjdk-17-jdk-headless"

def _home(rctx):
    env = rctx.os.environ
    candidates = [env.get("SABIR_JAVA_HOME"), "/usr/lib/jvm/java-17-openjdk-amd64", env.get("JAVA_HOME")]
    for home in candidates:
        if home and rctx.path(home + "/bin/javac").exists and rctx.path(home + "/include/jni.h").exists:
            release = rctx.read(home + "/release")
            if "JAVA_VERSION=\"17" in release or home == env.get("SABIR_JAVA_HOME"):
                return home, release
    return None, ""

def _host_java_impl(rctx):
    home, release = _home(rctx)
    build = ['package(default_visibility = ["//visibility:public"])']
    if home:
        rctx.symlink(home + "/include", "include")
        rctx.file("release.h", "".join(["// %s\n" % line for line in release.strip().split("\n")]))
        build.append('cc_library(name = "jni", hdrs = ["include/jni.h", "include/linux/jni_md.h", "release.h"], ' +
                     'includes = ["include", "include/linux"])')
    else:
        build.append('genrule(name = "jni_missing", outs = ["jni_missing.h"], ' +
                     "cmd = \"echo 'Missing on this machine: Debian package %s. Run: tools/dev setup' >&2; exit 1\")" % _PACKAGE)
        build.append('cc_library(name = "jni", hdrs = ["jni_missing.h"])')
    cache = rctx.os.environ.get("XDG_CACHE_HOME") or rctx.os.environ.get("HOME", "") + "/.cache"
    junit = "%s/sabir/java/junit-platform-console-standalone-%s.jar" % (cache, JUNIT_VERSION)
    if rctx.path(junit).exists:
        rctx.symlink(junit, "junit.jar")
        build.append('exports_files(["junit.jar"])')
    else:
        build.append('genrule(name = "junit", outs = ["junit.jar"], ' +
                     "cmd = \"echo 'JUnit %s is not in the cache. Run: tools/dev setup' >&2; exit 1\")" % JUNIT_VERSION)
    rctx.file("BUILD.bazel", "\n".join(build) + "\n")
    # The release is part of every command, so that another JDK compiles again.
    missing = "" if home else "Missing on this machine: Debian package %s. Run: tools/dev setup" % _PACKAGE
    rctx.file("defs.bzl", "JAVA_HOME = %r\nJAVA_RELEASE = %r\nJAVA_MISSING = %r\n" % (home or "", release, missing))

host_java = repository_rule(
    _host_java_impl,
    local = True,
    configure = True,
    environ = ["HOME", "XDG_CACHE_HOME", "JAVA_HOME", "SABIR_JAVA_HOME", "SABIR_HOST_FINGERPRINT"],
    doc = "See the top of this file.",
)
