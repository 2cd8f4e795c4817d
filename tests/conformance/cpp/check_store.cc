// A store that is too small for all that is made, and a second driver that shares it.
#include <cstdlib>

#include "checks.hpp"
#include "samples.hpp"

namespace conformance {
namespace {

using sabir::AnyTensor;
using sabir::ObjectRef;
using sabir::Value;

void results(Pair& pair) {
  for (int i = 0; i < 20; ++i) {
    Value made = pair.callee.call<Value>("make", "size-64-mib-tensor");
    equal(made.as<AnyTensor>().shape()[0], uint64_t{4096});
  }
}

void slices(Pair& pair) {
  Value tensor = sample("size-64-mib-tensor");
  auto recorder = pair.callee.recorder(0);
  for (int i = 1; i <= 12; ++i) {
    equal(ask<int>(recorder, "hold", sabir::put(tensor)), i);
  }
  ask<void>(recorder, "drop");
  std::vector<ObjectRef<Value>> refs;
  for (int i = 0; i < 8; ++i) {
    refs.push_back(sabir::put(tensor));
  }
  recorder.kill();
}

void second_driver(Pair& pair) {
  sabir::ActorOptions options;
  options.name = "shared";
  auto recorder = pair.own.recorder(1, options);
  std::vector<ObjectRef<int>> refs{sabir::put(5), pair.callee.function<int>("add").remote(3, 4)};
  ask<void>(recorder, "keep", refs);
  std::string command = environment("CONFORMANCE_SECOND") + " join '" + sabir::context().session_path + "' shared >&2";
  equal(std::system(command.c_str()), 0);
  equal(ask<int>(recorder, "add", 1), 4);
  equal(ask<int>(recorder, "total"), 42);
  recorder.kill();
}

}  // namespace

void join(const std::string& address, const std::string& name) {
  sabir::Config config;
  config.address = address;
  config.name_space = "conformance";
  config.log_to_driver = false;
  sabir::Session session(config);
  auto recorder = sabir::get_actor(name);
  equal(ask<int>(recorder, "add", 2), 3);
  equal(sabir::get(ask<std::vector<ObjectRef<int>>>(recorder, "lend"), kWait), std::vector<int>{5, 7});
  ask<void>(recorder, "keep", std::vector<ObjectRef<int>>{sabir::put(40), sabir::put(2)});
  equal(ask<int>(recorder, "total"), 42);
}

void add_store_checks(Checks& checks) {
  checks["pressure-results"] = results;
  checks["pressure-slices"] = slices;
  checks["driver-second"] = second_driver;
}

}  // namespace conformance
