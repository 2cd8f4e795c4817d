// Leases of another node's capacity: what a node that has more calls than it can run, and a node that has room, say to
// each other. Plain values, as they travel.
//
// One request gets slots for a whole class of calls; then calls flow through them, and nothing is asked for each call.
// In the steady state a pair of nodes exchanges one status and its answer each few seconds, however many calls run.
//
// The rules, numbered because the tests cite them:
//  E1 A lease is (client, number): slots for calls of one class at one server. Numbers rise over a client's life and
//  are
//     never reused. The same request again gets the same answer.
//  E2 A slot has its resources from the grant until it is over and nothing runs in it, not shorter (L2). What the
//     server grants it has taken from its own account before.
//  E3 A status lists what the client has open at a server, with the slots that it keeps. What has a number below
//     `next_lease` and is not listed is over, also if its request comes only now. Of two statuses the later (by
//     sequence) counts. The answer lists what the server has; what is missing in it is over.
//  E4 A lease that no status confirmed for `valid_ns` is over at the server. The client stops using it earlier: it
//     counts from when it *sent* what was confirmed.
//  E5 Slots only become fewer: by the client, that has no calls for them for a while, or by the server, that recalls
//     them. Both say how many stay, so that the same message twice does no harm.
//  E6 Messages name the incarnations of both sides; who is over, or not a member, is not heard. When a client dies, its
//     leases are over and what runs in them is stopped. When a server dies, so do its leases.
//  E7 Who came first is served first: a request that waits goes before local calls that began to wait later, and after
//     those that began earlier, if they need what it lacks. Who waits for something that placement groups hold keeps
//     nobody else from the rest: that may be for ever.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/node/cluster/node_report.h"

namespace sabir::cluster {

using LeaseNumber = uint64_t;
using ClassToken = uint64_t;  // a class of calls, as the client numbers them

inline constexpr uint32_t kMaxSlotsOfLease = 256;
inline constexpr size_t kMaxLeasesOfClient = 1024;   // open ones, at one server and at all of them
inline constexpr size_t kMaxWaitingRequests = 4096;  // at one server

struct LeaseClass {
  ClassToken token = 0;
  JobNumber job = 0;
  uint8_t language = 0;
  Amounts resources = {};
  Placement placement = {};
};

struct LeaseRequest {
  NodeKey client, server;
  LeaseNumber number = 0;
  LeaseClass what;
  uint32_t slots = 0;   // as many as possible, at least one
  int64_t wait_ns = 0;  // how long it may wait for the first one; 0: now or never
};

enum class LeaseOutcome : uint8_t { kGranted, kWaiting, kRefused };

struct LeaseAnswer {
  NodeKey client, server;
  LeaseNumber number = 0;
  LeaseOutcome outcome = LeaseOutcome::kRefused;
  uint32_t slots = 0;
  int64_t valid_ns = 0;
  std::string reason = {};                // if refused, for people
  std::optional<NodeReport> report = {};  // what the server has now
};

struct LeaseStatus {
  static constexpr uint32_t kAsked = UINT32_MAX;

  struct Open {
    LeaseNumber number = 0;
    uint32_t slots = 0;  // that it keeps; kAsked: it has no answer yet
  };
  NodeKey client, server;
  uint64_t sequence = 0;
  LeaseNumber next_lease = 0;
  std::vector<Open> open;
};

struct LeaseStatusAnswer {
  struct Held {
    LeaseNumber number = 0;
    uint32_t slots = 0;
  };
  NodeKey client, server;
  uint64_t sequence = 0;
  int64_t valid_ns = 0;
  std::vector<Held> held;
};

// By the server: so many slots stay. Not answered; the next status says the same.
struct LeaseRecall {
  NodeKey client, server;
  LeaseNumber number = 0;
  uint32_t slots = 0;
};

}  // namespace sabir::cluster
