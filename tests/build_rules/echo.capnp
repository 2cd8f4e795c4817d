@0xb1d5f6a1c0e94a77;
# A schema for the build rules' own test.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("sabir::build_rules");

interface Echo {
  say @0 (text :Text) -> (text :Text);
}
