// A cluster that is not there: the borrowing of 3 to 8 nodes in one thread and in simulated time, by a seed. The
// network loses, copies and reorders; nodes crash, are cut off and go on for a while, are declared dead while they
// live, come back as new incarnations; the control store's words are late, and now and then a snapshot instead of
// entries. A checker that sees everything knows when an object goes while somebody reaches it, and what is left when
// all is quiet.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/control/node_log.h"
#include "runtime/node/cluster/borrowing.h"

namespace sabir::simulation {

using node::CarrierId;
using node::Incarnation;
using node::LogPosition;
using node::ObjectName;
using Machine = size_t;

struct BorrowWorldOptions {
  size_t machines = 3;
  double loss = 0;  // probabilities, per message
  double copy = 0;
  int64_t max_delay_ns = 20 * kMillisecondNs;
  double news = 1;      // per beat of a node: it hears the control store
  double snapshot = 0;  // that is a snapshot, not an entry
  double result_carries = 0.3;
  node::BorrowClient::Options client;

  // What the rules forbid. The checker must find each.
  enum class Break : uint8_t {
    kNothing,
    kSettlesAtOnce,      // N8: the control store takes a death for settled when it is written
    kSettlesForOne,      // N8: ... when the first living node has acknowledged it
    kAnswersBeforeDone,  // N3: a node answers a call when it has run, not when CarrierDone comes
    kForgetsWhenSent,    // N2: the lender lets go when the carrier is sent
    kKeepsWithoutHold,   // N3: what a process keeps is told after the carrier is finished
  } broken = Break::kNothing;
};

class BorrowWorld {
 public:
  BorrowWorld(uint64_t seed, BorrowWorldOptions options);
  ~BorrowWorld();

  uint64_t random(uint64_t below) { return below == 0 ? 0 : engine_() % below; }
  bool chance(double probability) { return std::uniform_real_distribution<double>(0, 1)(engine_) < probability; }
  void run_for(int64_t duration_ns);

  // --- what happens; each chooses what is possible, or does nothing

  void create_object();
  void call();              // somebody lends what it reaches to somebody else
  void finish_a_carrier();  // its receiver keeps some of it; perhaps its answer carries references back
  void drop_a_hold();
  void kill(Machine machine);          // crashes; the control store learns it later
  void cut_off(Machine machine);       // goes on without the control store, is declared dead, notices later
  void declare_dead(Machine machine);  // although nothing is wrong with it
  void part(Machine one, Machine other, int64_t duration_ns);

  // No faults from now on; everybody finishes and drops what it has; until nothing moves. False: it still does.
  bool calm_down();
  // What is left that should not be. Empty: nothing.
  std::string leftovers() const;

  const std::vector<std::string>& violations() const { return violations_; }
  std::string describe() const;

  uint64_t objects_freed = 0;
  uint64_t objects_lost = 0;
  uint64_t carriers_finished = 0;
  uint64_t deaths = 0;
  uint64_t messages = 0;

 private:
  struct Node;
  struct Message;
  struct Event {
    int64_t at_ns = 0;
    uint64_t order = 0;
    std::function<void()> what;
    bool operator<(const Event& other) const {
      return at_ns != other.at_ns ? at_ns > other.at_ns : order > other.order;
    }
  };

  // world.cc: time, network, nodes' lives
  void at(int64_t delay_ns, std::function<void()> what);
  int64_t delay() { return static_cast<int64_t>(random(static_cast<uint64_t>(options_.max_delay_ns))) + 1; }
  void send(const Node& from, Incarnation to, Message message);
  void start(Machine machine);
  void stop(Machine machine);  // the process ends
  void write_death(Incarnation node);
  void tell_log(Node& node);
  void acknowledge(const Node& node);
  void beat(Machine machine, Incarnation node);
  Node* node_of(Incarnation node);
  Node* some_node();

  // world_shell.cc: what sabird does around Borrowing
  void deliver(Node& node, const Message& message);
  void carry_out(Node& node, node::BorrowInstructions& out);
  bool lend(Node& node, Incarnation receiver, const std::vector<ObjectName>& references);
  void send_carrier(Node& node, uint64_t number);
  void finish(Node& node, CarrierId carrier, const std::vector<ObjectName>& kept, bool answer_carries);
  void hold(Node& node, const ObjectName& object);
  void unhold(Node& node, const ObjectName& object);
  void free_if_unheld(Node& node, shm::EntryRef object);

  // the checker, which sees everything
  bool is_live(const Node& node) const;
  bool exists(const ObjectName& object) const;
  void check_freed(const ObjectName& object);
  void check(Node& node);
  void violation(std::string text);

  std::mt19937_64 engine_;
  BorrowWorldOptions options_;
  ManualClock clock_;
  std::priority_queue<Event> events_;
  uint64_t next_order_ = 0;
  control::NodeLog log_;
  std::vector<control::NodeLogEntry> entries_;
  LogPosition settled_ = 0;
  std::vector<std::unique_ptr<Node>> machines_;  // who runs there; null: nobody
  std::map<Incarnation, Machine> places_;
  std::map<std::pair<Machine, Machine>, int64_t> parted_until_ns_;
  bool calm_ = false;
  std::vector<std::string> violations_;
};

}  // namespace sabir::simulation
