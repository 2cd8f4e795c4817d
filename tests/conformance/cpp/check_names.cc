// Names of actors.
#include "checks.hpp"

namespace conformance {
namespace {

sabir::ActorOptions named(const std::string& name) {
  sabir::ActorOptions options;
  options.name = name;
  return options;
}

void taken(Pair& pair) {
  auto kept = pair.callee.recorder(1, named("taken"));
  expect(SABIR_ALREADY_EXISTS, [&] { pair.callee.recorder(1, named("taken")); });
  equal(ask<int>(kept, "add", 1), 2);
  kept.kill();
}

void get_if_exists(Pair& pair) {
  sabir::ActorOptions options = named("either");
  options.get_if_exists = true;
  auto first = pair.callee.recorder(1, options);
  equal(ask<int>(first, "add", 1), 2);
  equal(ask<int>(pair.callee.recorder(1, options), "add", 1), 3);
  first.kill();
}

void unknown(Pair& pair) {
  contains(expect(SABIR_NOT_FOUND, [] { sabir::get_actor("nobody"); }).message(), "nobody");
  contains(everything(expect(SABIR_OK, [&] { pair.callee.call<int>("nudge_named", "nobody", 1); })), "nobody");
}

void free_again(Pair& pair) {
  auto first = pair.callee.recorder(1, named("again"));
  ask<int>(first, "add", 1);
  first.kill();
  sabir::ActorHandle<> second;
  auto taken_again = [&] {
    auto made = sabir::attempt([&] { return pair.callee.recorder(100, named("again")); });
    require(made.ok() || made.status() == SABIR_ALREADY_EXISTS, "another error");
    second = made.ok() ? *made : second;
    return made.ok();
  };
  until(taken_again, "a name that is free again");
  equal(ask<int>(second, "add", 1), 101);
  second.kill();
}

}  // namespace

void add_name_checks(Checks& checks) {
  checks["name-lookup"] = [](Pair& pair) {
    auto kept = pair.callee.recorder(1, named("lookup"));
    equal(ask<int>(sabir::get_actor("lookup"), "add", 1), 2);
    kept.kill();
  };
  checks["name-in-callee"] = [](Pair& pair) {
    auto kept = pair.callee.recorder(1, named("in-callee"));
    equal(pair.callee.call<int>("nudge_named", "in-callee", 1), 2);
    kept.kill();
  };
  checks["name-of-caller"] = [](Pair& pair) {
    auto kept = pair.own.recorder(1, named("of-caller"));
    equal(pair.callee.call<int>("nudge_named", "of-caller", 1), 2);
    kept.kill();
  };
  checks["name-taken"] = taken;
  checks["name-get-if-exists"] = get_if_exists;
  checks["name-unknown"] = unknown;
  checks["name-free-again"] = free_again;
}

}  // namespace conformance
