// Runs scenarios: `caller CALLEE FOLDER FILE`, with the names of the scenarios in FILE, one a line. What it knows and
// how each of them went is printed, a JSON object a line. The environment says where code is.
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "checks.hpp"
#include "samples.hpp"

namespace conformance {
namespace {

using sabir::Value;
using sabir::detail::json_list;
using sabir::detail::json_text;

Checks all_checks() {
  Checks checks;
  add_call_checks(checks);
  add_reference_checks(checks);
  add_error_checks(checks);
  add_actor_checks(checks);
  add_name_checks(checks);
  add_failure_checks(checks);
  add_resource_checks(checks);
  add_store_checks(checks);
  return checks;
}

// The three ways of a value.
std::string value_seen(const Peer& peer, const std::string& name) {
  Value value = sample(name);
  return "{\"as an argument\": " + json_text(peer.call<std::string>("describe", value)) +
         ", \"there and back\": " + json_text(text_of(peer.call<Value>("echo", value))) +
         ", \"as a result\": " + json_text(text_of(peer.call<Value>("make", name))) + "}";
}

std::string outcome(const Checks& checks, Pair& pair, const std::string& name) {
  try {
    if (samples().count(name) != 0) {
      return "\"seen\": " + value_seen(pair.callee, name);
    }
    checks.at(name)(pair);
    return "\"passed\": true";
  } catch (const std::exception& error) {
    return "\"passed\": false, \"detail\": " + json_text(error.what());
  }
}

int run(const std::string& callee, const std::string& folder, const std::string& names) {
  Checks checks = all_checks();
  std::vector<std::string> known;
  for (const auto& entry : samples()) {
    known.push_back(entry.first);
  }
  for (const auto& entry : checks) {
    known.push_back(entry.first);
  }
  std::cout << "{\"known\": " << json_list(known) << "}" << std::endl;

  sabir::Config config;
  config.address = "local";
  config.resources = {{"CPU", 2}, {"slot", 1}};
  config.store_bytes = uint64_t{1} << 30;
  config.log_to_driver = false;
  config.name_space = "conformance";
  config.code_search_path = paths_of("CONFORMANCE_PATH");
  config.worker = environment("CONFORMANCE_CPP_WORKER");
  config.python = environment("CONFORMANCE_PYTHON");
  config.java_jar = environment("CONFORMANCE_JAVA_JAR");
  sabir::Session session(config);
  Pair pair{Peer(callee), Peer("cpp"), folder, 0};
  std::ifstream list(names);
  for (std::string name; std::getline(list, name);) {
    std::cout << "{\"name\": " << json_text(name) << ", " << outcome(checks, pair, name) << "}" << std::endl;
  }
  return 0;
}

}  // namespace
}  // namespace conformance

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: caller CALLEE FOLDER FILE\n";
    return 2;
  }
  unsetenv("LD_LIBRARY_PATH");  // it was for this program: workers find their libraries themselves
  try {
    if (std::string(argv[1]) == "join") {
      conformance::join(argv[2], argv[3]);
      return 0;
    }
    return conformance::run(argv[1], argv[2], argv[3]);
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
