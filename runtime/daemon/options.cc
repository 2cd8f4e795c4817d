#include "runtime/daemon/options.h"

#include <sched.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <sstream>

#include "runtime/base/session_dir.h"
#include "runtime/base/version.h"
#include "runtime/head/head_state.h"
#include "runtime/node/cluster/labels.h"
#include "runtime/store/warm.h"

namespace sabir::daemon {
namespace {

constexpr double kStoreShare = 0.3;
constexpr uint64_t kMinStoreBytes = 4 << 20;
constexpr uint64_t kMemoryIfUnknown = uint64_t{4} << 30;

uint64_t total_memory_bytes() {
  std::optional<store::MemoryState> state = store::read_memory_state();
  return state ? state->total_bytes : kMemoryIfUnknown;
}

bool has(const std::vector<node::ResourceRequest>& resources, const std::string& name) {
  return std::any_of(resources.begin(), resources.end(),
                     [&](const node::ResourceRequest& entry) { return entry.name == name; });
}

}  // namespace

uint32_t usable_cpus() {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  if (::sched_getaffinity(0, sizeof(cpus), &cpus) != 0) {
    return 1;
  }
  return static_cast<uint32_t>(std::max(1, CPU_COUNT(&cpus)));
}

Result<node::ResourceRequest> parse_resource(const std::string& text) {
  size_t equals = text.find('=');
  if (equals == 0 || equals == std::string::npos) {
    return invalid_error("a resource is NAME=AMOUNT, not \"" + text + "\"");
  }
  std::string number = text.substr(equals + 1);
  char* end = nullptr;
  double amount = std::strtod(number.c_str(), &end);
  if (number.empty() || *end != '\0' || !std::isfinite(amount) || amount < 0) {
    return invalid_error("the amount of " + text.substr(0, equals) + " is no number from 0 on: \"" + number + "\"");
  }
  double units = std::round(amount * static_cast<double>(node::kUnit));
  if (units > 9e18) {
    return invalid_error("the amount of " + text.substr(0, equals) + " is too large: " + number);
  }
  return node::ResourceRequest{text.substr(0, equals), static_cast<node::Units>(units)};
}

Options parse_options(int argc, const char* const* argv) {
  Options options;
  std::vector<std::string> resources;
  std::vector<std::string> labels;
  int driver_fd = -1;
  int caller_fd = -1;
  std::string level = "info";
  int64_t store_bytes = 0;  // signed: a negative number must not become a huge one
  CLI::App app("sabird: the node manager of a Sabir session. Usually started by sabir.init() or `sabir start`.",
               "sabird");
  app.add_option("--session-dir", options.session_dir,
                 "directory of the session; made by sabird, gone when it ends (default: a new one)");
  app.add_option("--driver-fd", driver_fd,
                 "an open socket to the driver that starts this node: the node ends with that driver")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--caller-fd", caller_fd, "an open pidfd: the node ends with that process")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--resource", resources, "NAME=AMOUNT, once per resource; CPU and memory default to the machine's");
  app.add_option("--store-bytes", store_bytes, "memory for large objects (default, and 0: 30 % of the machine's)")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--log-level", level, "debug, info, warning, error or off");
  app.add_option("--fault-plan", options.fault_plan, "for tests: answers of the control channel to lose or delay");
  app.add_flag("--head", options.head, "the first node of a cluster: others may join it");
  app.add_flag("--join", options.join, "a further node of a cluster; SABIR_JOIN has the head's join string");
  app.add_option("--node-host", options.node_host,
                 "address that other nodes reach this one at (default: of the head 127.0.0.1, of others the machine's "
                 "address on the way to the head)");
  app.add_option("--node-port", options.node_port, "port for other nodes (default, and 0: any that is free)");
  app.add_option("--node-name", options.node_name, "for people (default: the host's name)");
  app.add_option("--label", labels, "KEY=VALUE, once per label of the node");
  app.add_flag("--insecure", options.insecure, "plain TCP between nodes: everybody on the network reads and writes");
  app.add_option("--join-life-ms", options.join_life_ms,
                 "so long the head's join string lets nodes in (default, and 0: for ever)")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--state-dir", options.state_dir,
                 "where a head keeps its cluster's state; started again with it, it goes on (default: "
                 "$XDG_STATE_HOME/sabir/head, else ~/.local/state/sabir/head)");
  app.add_flag("--durable", options.durable, "of a head: what was answered outlives a loss of power, too");
  app.add_flag("--gateway", options.gateway, "")->group("");
  app.add_flag("--control", options.control, "")->group("");
  app.add_flag("--foreground", options.foreground, "log to standard error");
  app.set_version_flag("--version", std::string(kVersion));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    options.exit_code = app.exit(error, out, out) == 0 ? 0 : 2;
    options.message = out.str();
    return options;
  }
  auto refuse = [&](std::string why) {
    options.message = "sabird: " + std::move(why) + "\n";
    options.exit_code = 2;
    return options;
  };
  if (std::optional<LogLevel> parsed = parse_log_level(level)) {
    options.log_level = *parsed;
  } else {
    return refuse("--log-level is debug, info, warning, error or off, not \"" + level + "\"");
  }
  for (const std::string& text : resources) {
    Result<node::ResourceRequest> resource = parse_resource(text);
    if (!resource.ok()) {
      return refuse(resource.error().message());
    }
    options.resources.push_back(std::move(*resource));
  }
  if (!has(options.resources, "CPU")) {
    options.resources.push_back({"CPU", static_cast<node::Units>(usable_cpus()) * node::kUnit});
  }
  if (!has(options.resources, "memory")) {
    options.resources.push_back({"memory", static_cast<node::Units>(total_memory_bytes()) * node::kUnit});
  }
  Result<cluster::Labels> parsed_labels = cluster::parse_labels(labels);
  if (!parsed_labels.ok()) {
    return refuse(parsed_labels.error().message());
  }
  options.labels = *std::move(parsed_labels);
  options.store_bytes = static_cast<uint64_t>(store_bytes);
  if (options.store_bytes == 0) {
    options.store_bytes = static_cast<uint64_t>(static_cast<double>(total_memory_bytes()) * kStoreShare);
  }
  if (options.store_bytes < kMinStoreBytes) {
    return refuse("--store-bytes is at least " + std::to_string(kMinStoreBytes));
  }
  if (options.head && options.join) {
    return refuse("--head and --join: a node is one or the other");
  }
  if (!options.head && (!options.state_dir.empty() || options.durable)) {
    return refuse("--state-dir and --durable are the head's alone");
  }
  if (options.head && options.state_dir.empty()) {
    options.state_dir = head::default_state_directory();
  }
  if (options.join && std::getenv("SABIR_JOIN") == nullptr) {
    return refuse("--join needs the head's join string in SABIR_JOIN");
  }
  if (driver_fd >= 0) {
    options.driver_fd = driver_fd;
  }
  if (caller_fd >= 0) {
    options.caller_fd = caller_fd;
  }
  if (options.session_dir.empty()) {
    options.session_dir = new_session_path(default_session_root());
  }
  return options;
}

}  // namespace sabir::daemon
