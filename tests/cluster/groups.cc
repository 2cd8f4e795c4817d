// A driver in C++ that uses placement groups on a cluster of two nodes, "here" and "far", with two CPUs each.
#include <chrono>
#include <iostream>
#include <sabir/sabir.hpp>
#include <set>
#include <string>
#include <thread>
#include <vector>

using std::chrono::seconds;

std::string where(int ms) {
  std::this_thread::sleep_for(std::chrono::milliseconds(ms));
  std::optional<sabir::PlacementGroup> group = sabir::current_placement_group();
  return sabir::context().node_id + " " + (group ? group->id() : "none");
}
SABIR_REMOTE(where);

sabir::TaskOptions no_cpus() {
  sabir::TaskOptions options;
  options.num_cpus = 0;
  return options;
}

std::string child() { return sabir::task(where).options(no_cpus()).remote(0).get(seconds(60)); }
SABIR_REMOTE(child);

// A handle that came as an argument.
bool use(const sabir::PlacementGroup& group) {
  sabir::TaskOptions options;
  options.scheduling = sabir::Scheduling::group(group, 1);
  return sabir::task(where).options(options).remote(0).get(seconds(60)).find(group.id()) != std::string::npos;
}
SABIR_REMOTE(use);

struct Place {
  static Place create() { return {}; }
  std::string here() { return where(0); }
};
SABIR_REMOTE(Place::create, &Place::here);

namespace {

template <typename Error, typename Function>
std::string refused(Function&& function) {
  try {
    function();
    return "nothing";
  } catch (const Error&) {
    return "refused";
  }
}

}  // namespace

int main(int count, char** arguments) {
  sabir::Config config;
  config.address = count > 1 ? arguments[1] : "";  // a worker has none
  sabir::init(config);
  sabir::GroupOptions spread;
  spread.strategy = sabir::GroupStrategy::kStrictSpread;
  spread.name = "ring";
  sabir::PlacementGroup group = sabir::placement_group({{{"CPU", 1.0}}, {{"CPU", 1.0}}}, spread);
  std::cout << "ready: " << (group.ready().get(seconds(60)) == group) << group.wait(seconds(60)) << "\n";
  sabir::GroupInfo info = sabir::placement_group_info(group);
  std::cout << info.strategy << " " << info.state << " " << info.bundles.size() << " "
            << std::set<std::string>(info.nodes.begin(), info.nodes.end()).size() << "\n";
  std::cout << "named: " << (sabir::get_placement_group("ring") == group) << "\n";
  for (int bundle = 0; bundle < 2; ++bundle) {
    sabir::TaskOptions options;
    options.scheduling = sabir::Scheduling::group(group, bundle);
    std::string ran = sabir::task(where).options(options).remote(0).get(seconds(60));
    std::cout << "bundle " << bundle << ": " << (ran == info.nodes[static_cast<size_t>(bundle)] + " " + group.id())
              << "\n";
  }
  sabir::TaskOptions capturing;
  capturing.scheduling = sabir::Scheduling::group(group, -1, true);
  std::string captured = sabir::task(child).options(capturing).remote().get(seconds(60));
  std::cout << "captured: " << (captured.find(group.id()) != std::string::npos) << "\n";
  std::cout << "passed: " << sabir::task(use).options(no_cpus()).remote(group).get(seconds(60)) << "\n";
  sabir::ActorOptions actor_options;
  actor_options.scheduling = sabir::Scheduling::group(group, 1);
  auto actor = sabir::actor(Place::create).options(actor_options).remote();
  std::cout << "actor: " << (actor.task(&Place::here).remote().get(seconds(60)) == info.nodes[1] + " " + group.id())
            << "\n";
  std::cout << "empty: " << refused<sabir::InvalidArgumentError>([] { sabir::placement_group({}); }) << "\n";
  std::cout << "index: " << refused<sabir::InvalidArgumentError>([&] {
    sabir::TaskOptions options;
    options.scheduling = sabir::Scheduling::group(group, 7);
    sabir::task(where).options(options).remote(0);
  }) << "\n";
  sabir::PlacementGroup large = sabir::placement_group({{{"CPU", 64.0}}});
  std::cout << "large: " << large.wait(std::chrono::milliseconds(300)) << sabir::placement_group_info(large).infeasible
            << "\n";
  sabir::remove_placement_group(large);
  sabir::remove_placement_group(group);
  std::cout << "removed: " << refused<sabir::GroupRemovedError>([&] { group.ready().get(seconds(60)); }) << " "
            << refused<sabir::ActorDiedError>([&] { actor.task(&Place::here).remote().get(seconds(60)); }) << " "
            << sabir::placement_groups().size() << "\n";
  return 0;
}
