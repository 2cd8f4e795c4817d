// The calls of a simulated node: those that run here, and those that were sent to others.
#include "runtime/base/check.h"
#include "tests/simulation/cluster/sim_node.h"

namespace sabir::simulation {

using namespace cluster;

void SimNode::submit(Call call) {
  if (life_ == nullptr) {
    return;
  }
  call.since_ns = world_->now_ns();
  const Placement& placement = world_->options().classes[call.class_index].strategy.placement;
  if (placement.in_group() && life_->wanted_groups.insert(placement.group).second) {
    world_->send(life_->key, std::nullopt, WantGroup{placement.group}, true);
  }
  life_->queues[call.class_index].push_back(call);
  act();
}

// C1: by the local scheduler itself, without asking.
bool SimNode::may_run_here(uint32_t class_index) const {
  const CallClass& what = world_->options().classes[class_index];
  if (what.strategy.placement.in_group()) {
    return true;
  }
  return what.strategy.kind == Strategy::Kind::kDefault && what.arguments.empty() && !life_->draining &&
         matches(what.strategy.selector, plan_.labels);
}

void SimNode::run_local() {
  Life& life = *life_;
  // Oldest first, over all classes.
  std::vector<std::pair<int64_t, uint32_t>> order;
  for (const auto& [index, queue] : life.queues) {
    if (!queue.empty()) {
      order.emplace_back(queue.front().since_ns, index);
    }
  }
  std::sort(order.begin(), order.end());
  for (const auto& [since_ns, index] : order) {
    const CallClass& what = world_->options().classes[index];
    Result<ResourceSet> set = life.resources.resolve(what.resources);
    std::deque<Call>& queue = life.queues.at(index);
    bool free = may_run_here(index);
    uint32_t& allowed = life.allowed_here[index];
    while (!queue.empty() && (free || allowed > 0)) {
      bool in_group = what.strategy.placement.in_group();
      if (!in_group && life.server.goes_first(*set, queue.front().since_ns)) {  // E7
        break;
      }
      std::optional<Claim> claim = life.ledger.claim(*set, what.strategy.placement);
      if (!claim) {
        break;
      }
      BundleNumber bundle = claim->bundle;
      start({.call = queue.front(), .submitter = life.key, .claim = std::move(claim), .bundle = bundle});
      queue.pop_front();
      allowed -= !free && allowed > 0 ? 1 : 0;
    }
    if (queue.empty()) {
      allowed = 0;
    }
  }
}

void SimNode::start(Run run) {
  uint64_t number = life_->next_run++;
  int64_t duration_ns = run.call.duration_ns;
  life_->running.emplace(number, std::move(run));
  later(duration_ns, [this, number] {
    if (life_->running.contains(number)) {
      finished(number);
    }
  });
}

void SimNode::give_back(const Run& run) {
  if (run.claim) {
    life_->ledger.release(*run.claim);
  } else {
    life_->server.end(run.slot);
  }
}

void SimNode::finished(uint64_t number) {
  Run run = std::move(life_->running.extract(number).mapped());
  give_back(run);
  if (run.lease == 0) {
    world_->calls_done += 1;
  } else {
    world_->send(life_->key, run.submitter, CallEnded{run.call.id, true}, true);
  }
  act();
}

// Killed: its submitter sends it again, if it lives.
void SimNode::stop(uint64_t number) {
  Run run = std::move(life_->running.extract(number).mapped());
  give_back(run);
  if (run.lease == 0) {
    life_->queues[run.call.class_index].push_back(run.call);
  } else {
    world_->send(life_->key, run.submitter, CallEnded{run.call.id, false}, true);
  }
}

// --- Calls of this node elsewhere

void SimNode::send_calls() {
  Life& life = *life_;
  for (const auto& [number, use] : life.use) {
    auto index = static_cast<uint32_t>(use.token);
    std::deque<Call>& queue = life.queues[index];
    uint32_t& in_flight = life.in_flight[number];
    uint32_t before = in_flight;
    while (in_flight < use.slots && !queue.empty()) {
      Call call = queue.front();
      queue.pop_front();
      world_->send(life.key, use.server, RunCall{call.id, index, call.duration_ns, number}, true);
      life.sent[call.id] = {call, use.server, number};
      in_flight += 1;
      world_->calls_sent += 1;
    }
    if (in_flight != before) {
      life.client.set_in_flight(number, in_flight);
    }
  }
  set_backlogs();
}

void SimNode::call_ended(uint64_t id, bool done) {
  Life& life = *life_;
  auto found = life.sent.find(id);
  if (found == life.sent.end()) {
    return;
  }
  Sent sent = found->second;
  life.sent.erase(found);
  uint32_t& in_flight = life.in_flight.at(sent.lease);
  SABIR_CHECK(in_flight > 0);
  in_flight -= 1;
  life.client.set_in_flight(sent.lease, in_flight);
  if (in_flight == 0) {
    life.in_flight.erase(sent.lease);
  }
  if (done) {
    world_->calls_done += 1;
    world_->remote_done += 1;
  } else {
    world_->calls_bounced += 1;
    life.queues[sent.call.class_index].push_front(sent.call);
  }
}

// What was sent to nodes that are dead is sent again, elsewhere.
void SimNode::lose_sent() {
  std::vector<uint64_t> lost;
  for (const auto& [id, sent] : life_->sent) {
    if (!life_->view.is_member(sent.server)) {
      lost.push_back(id);
    }
  }
  for (uint64_t id : lost) {
    call_ended(id, false);
  }
}

void SimNode::set_backlogs() {
  for (const auto& [index, queue] : life_->queues) {
    const CallClass& what = world_->options().classes[index];
    life_->client.set_backlog(index, static_cast<uint32_t>(queue.size()), what.arguments);
  }
}

// E7, and what leases of others hold is asked back when local calls have waited for it.
void SimNode::set_local_waiting() {
  Life& life = *life_;
  std::vector<RemoteLeaseServer::LocalWaiter> waiters;
  for (const auto& [index, queue] : life.queues) {
    const CallClass& what = world_->options().classes[index];
    if (queue.empty() || what.strategy.placement.in_group() ||
        (!may_run_here(index) && life.allowed_here[index] == 0)) {
      continue;
    }
    Result<ResourceSet> set = life.resources.resolve(what.resources);
    if (!life.resources.infeasible(*set).empty()) {
      continue;
    }
    waiters.push_back({*set, queue.front().since_ns});
    int64_t& recalled_ns = life.recalled_ns[index];
    if (!life.resources.fits(*set) && world_->now_ns() - std::max(queue.front().since_ns, recalled_ns) > 100 * kMs) {
      recalled_ns = world_->now_ns();
      life.server.recall(*set, 1);
    }
  }
  life.server.set_local_waiting(std::move(waiters));
}

}  // namespace sabir::simulation
