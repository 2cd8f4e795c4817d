"""Repository @capnp: Cap'n Proto and KJ, compiled from Debian's source package.

Debian's own archives cannot be linked into a shared library, and their symbols would be visible to
everyone in the same process. `tools/dev setup` fetches the sources once; this rule maps them.
"""

VERSION = "0.9.2"

def _capnp_source_impl(rctx):
    env = rctx.os.environ
    cache = env.get("XDG_CACHE_HOME") or env.get("HOME", "") + "/.cache"
    source = env.get("SABIR_CAPNP_SOURCE") or "%s/sabir/src/capnproto-%s" % (cache, VERSION)
    if not rctx.path(source + "/src/kj/common.h").exists:
        fail("\n\nNo sources of Cap'n Proto %s at %s.\nRun `tools/dev setup`.\n" % (VERSION, source))
    rctx.symlink(source + "/src", "src")
    rctx.symlink(Label("//tools/bazel:capnp.BUILD"), "BUILD.bazel")

capnp_source = repository_rule(
    _capnp_source_impl,
    local = True,
    environ = ["HOME", "XDG_CACHE_HOME", "SABIR_CAPNP_SOURCE", "SABIR_HOST_FINGERPRINT"],
    doc = "See the top of this file.",
)
