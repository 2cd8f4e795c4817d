// Finding a session, or starting the node of a new one.
#pragma once

#include <string>
#include <vector>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"
#include "runtime/rpc/session_types.h"

namespace sabir::client {

struct NodeOptions {
  std::string daemon_path;   // "": sabird beside this library, else SABIR_DAEMON
  std::string session_root;  // "": default_session_root()
  std::vector<rpc::ResourceAmount> resources;
  uint64_t store_bytes = 0;
  bool ends_with_caller = false;  // start_detached_node: it ends when this process does, however that happens
  // Its part in a cluster; of start_node never the head's.
  enum class Cluster : uint8_t { kNone, kHead, kJoin } cluster = Cluster::kNone;
  std::string join_string;   // kJoin
  int64_t join_life_ns = 0;  // kHead: so long its join string lets nodes in; 0: as long as it runs
  std::string state_dir;     // kHead: see sabir_config
  bool durable = false;
  std::string node_host;
  std::string node_name;
  uint16_t node_port = 0;
  bool insecure = false;
  std::vector<LabelCondition> labels;  // "key", "value"
};

// Of the members of a cluster, by their head's join string ("sabir://...").
bool is_join_string(const std::string& address);

// The address that is meant: `address`, for "" that of SABIR_ADDRESS, "" if neither names one.
std::string wanted_address(const std::string& address);

// What counts as a session for whoever names none. One that ends with its driver is not for others to join, who would
// lose it at any moment; who only looks, or stops it, wants it, too.
enum class Sessions { kLasting, kOfDriversToo };

// The path of a session for an address of sabir_config, once it is resolved by wanted_address. "": the newest live one
// of those that count. "auto": the newest lasting one, else the newest. kNotFound if there is none; for "" that means
// that one is to be started. "local" is always kNotFound.
Result<std::string> find_session(const std::string& address, const std::string& session_root,
                                 Sessions sessions = Sessions::kLasting);

// A node that lives as long as this process's connection to it.
struct StartedNode {
  int pid = -1;
  UniqueFd socket;  // a connected session
  UniqueFd words;   // what it writes to standard error lands here
  std::string session_path;
};
Result<StartedNode> start_node(const NodeOptions& options);
// Waits until it is a member of its cluster. kTimeout; kInterrupted by a signal; else it has ended, and the error is
// what it said.
Result<void> await_member(const StartedNode& node, int64_t timeout_ns);

// A node that outlives this process, unless it is to end with it; returns the path of its session when it takes
// processes, and is a member of its cluster. After an error (await_member has the kinds) it is gone.
Result<std::string> start_detached_node(const NodeOptions& options, int64_t timeout_ns);

// What a node wrote to standard error, the end of it if it is much. Mostly nothing: it has log files.
std::string last_words(int words_fd);

// Waits for a started node to end, then kills it.
void reap_node(int pid, int64_t patience_ns);
// Of a node that did not take this process in: it may be about to end by itself; if not, it is told to, and clears up.
void dismiss_node(int pid, int64_t patience_ns);

// Where sabird is.
Result<std::string> find_daemon(const std::string& configured);

}  // namespace sabir::client
