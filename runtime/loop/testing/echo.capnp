@0xd1f6a3c2b4e59870;
# For the event port's test.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("sabir::loop");

interface Echo {
  say @0 (text :Text) -> (text :Text);
}
