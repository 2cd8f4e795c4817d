// A driver in C++ on a cluster of two nodes: "here" (zone eu) and "far" (zone us). Prints what it finds.
#include <chrono>
#include <iostream>
#include <sabir/sabir.hpp>
#include <set>
#include <string>
#include <thread>
#include <vector>

std::string where(int ms) {
  std::this_thread::sleep_for(std::chrono::milliseconds(ms));
  return sabir::context().node_id;
}
SABIR_REMOTE(where);

namespace {

std::string node_named(const std::string& name) {
  for (const sabir::Node& node : sabir::nodes()) {
    if (node.name == name) {
      return node.node_id;
    }
  }
  return "";
}

std::string name_of(const std::string& id) {
  for (const sabir::Node& node : sabir::nodes()) {
    if (node.node_id == id) {
      return node.name;
    }
  }
  return "nobody";
}

std::string run(const sabir::Scheduling& scheduling) {
  sabir::TaskOptions options;
  options.scheduling = scheduling;
  return name_of(sabir::task(where).options(options).remote(0).get(std::chrono::seconds(60)));
}

}  // namespace

int main(int count, char** arguments) {
  sabir::Config config;
  config.address = count > 1 ? arguments[1] : "";  // a worker has none
  sabir::init(config);
  for (const sabir::Node& node : sabir::nodes()) {
    std::cout << node.name << " is in " << node.labels.at("zone") << ", alive " << node.alive << "\n";
  }
  std::cout << "node: " << run(sabir::Scheduling::node(node_named("far"))) << " "
            << run(sabir::Scheduling::node(node_named("here"))) << "\n";
  std::cout << "soft: " << (run(sabir::Scheduling::node(std::string(32, 'a'), true)) != "nobody") << "\n";
  std::cout << "labels: " << run(sabir::Scheduling::labels({{"zone", "!eu"}})) << " "
            << run(sabir::Scheduling::labels({{"zone", "in(eu, asia)"}})) << "\n";
  std::cout << "fallback: " << run(sabir::Scheduling::labels({{"zone", "mars"}}).otherwise({{"zone", "us"}})) << "\n";
  sabir::TaskOptions spread;
  spread.scheduling = sabir::Scheduling::spread();
  std::vector<sabir::ObjectRef<std::string>> refs;
  for (int i = 0; i < 40; ++i) {
    refs.push_back(sabir::task(where).options(spread).remote(10));
  }
  std::set<std::string> used;
  for (const std::string& id : sabir::get(refs)) {
    used.insert(name_of(id));
  }
  std::cout << "spread: " << used.size() << "\n";
  try {
    run(sabir::Scheduling::node(std::string(32, 'a')));
  } catch (const sabir::UnschedulableError& error) {
    std::cout << "hard: " << error.what() << "\n";
  }
  try {
    run(sabir::Scheduling::labels({{"zone", "in("}}));
  } catch (const sabir::InvalidArgumentError&) {
    std::cout << "refused\n";
  }
  sabir::shutdown();
}
