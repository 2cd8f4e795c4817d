// sabird's command line.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/log.h"
#include "runtime/base/result.h"
#include "runtime/node/resources.h"

namespace sabir::daemon {

struct Options {
  std::string session_dir;
  std::optional<int> driver_fd;
  std::optional<int> caller_fd;
  std::vector<node::ResourceRequest> resources;  // complete: CPU and memory have their defaults
  uint64_t store_bytes = 0;                      // 0 was given: the default
  LogLevel log_level = LogLevel::kInfo;
  bool foreground = false;
  std::string fault_plan;
  // A node of a cluster: the first one, or one that joins. The join string comes in SABIR_JOIN: command lines are seen
  // by everybody.
  bool gateway = false;  // this process is the gateway of a node
  bool control = false;  // ... or the control store of a cluster
  bool head = false;
  bool join = false;
  std::string node_host;
  uint16_t node_port = 0;
  std::string node_name;
  std::map<std::string, std::string, std::less<>> labels;
  bool insecure = false;
  int64_t join_life_ms = 0;  // of the head; 0: for ever
  std::string state_dir;     // of the head; what it keeps over its lives (head/head_state.h)
  bool durable = false;      // of the head: its control store, against loss of power too
  // Set: print this and exit with exit_code.
  std::string message;
  int exit_code = 0;
};

// Never fails: bad input comes back as message and exit_code 2.
Options parse_options(int argc, const char* const* argv);

// "CPU=2", "memory=4e9", "accelerator=0.5". kInvalid: no name, no number, negative, not finite, too large.
Result<node::ResourceRequest> parse_resource(const std::string& text);

// CPUs that this process may run on.
uint32_t usable_cpus();

}  // namespace sabir::daemon
