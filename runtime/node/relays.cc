// What the gateway has of this node: workers that claim calls for other nodes, and drivers that submit those of others.
#include <algorithm>

#include "runtime/node/cluster/read_strategy.h"
#include "runtime/node/node_manager.h"

namespace sabir::node {
namespace {

// A relay without calls stays so long.
constexpr int64_t kRelayIdleNs = 500 * kMillisecondNs;
// It has so long to join.
constexpr int64_t kRelayJoinNs = 10 * kSecondNs;
constexpr uint32_t kMaxRelayWidth = 512;

}  // namespace

std::optional<JobNumber> NodeManager::find_job(const std::string& id) const {
  for (const auto& [number, job] : jobs_) {
    if (job.id == id && !job.over) {
      return number;
    }
  }
  return std::nullopt;
}

Result<rpc::WelcomeInfo> NodeManager::welcome_guest(JobNumber job, rpc::PeerCredentials peer) {
  SABIR_ASSIGN_OR_RETURN(Process * process, admit(shm::ProcessKind::kDriver, std::move(peer)));
  process->job = job;
  process->language = jobs_.at(job).config.language;
  process->guest = true;
  deaths_->welcome(process->key.slot);
  processes_.publish(*process);
  process->watcher->watch(loop::kReadable);
  return welcome_to(*process);
}

Result<rpc::WelcomeInfo> NodeManager::welcome_relay(LaunchId launch, rpc::PeerCredentials peer) {
  auto found = relay_launches_.find(launch);
  Relay& relay = found->second;
  auto job = jobs_.find(relay.job);
  if (relay.ending || job == jobs_.end() || job->second.over) {
    refuse_relay(found, "its worker was not needed any more");
    return cancelled_error("this worker is not needed any more");
  }
  if (relay.actor) {
    return welcome_stand_in(found, std::move(peer));
  }
  SABIR_ASSIGN_OR_RETURN(Process * process, admit(shm::ProcessKind::kWorker, std::move(peer)));
  launcher_->forget(launch);
  shm::SlotIndex slot = process->key.slot;
  process->job = relay.job;
  process->relay = true;
  deaths_->welcome(slot);
  processes_.publish(*process);
  process->watcher->watch(loop::kReadable);
  relay.slot = slot;
  relay.epoch = directory_.lease_epoch(slot) + 1;
  relay.executed = relay.rate_base = calls_.executed(slot).any();
  relay.rate_ns = relay.moved_ns = clock_.now_ns();
  relay.busy_ns = clock_.now_ns();
  directory_.grant({slot, relay.epoch, relay.class_index, std::nullopt, 0});
  // It may have grown since it was asked for; and an earlier worker of this slot may have left another one behind.
  cluster_->set_width(slot, relay.width);
  logger_.debug("a relay to ", cluster::describe(relay.peer), " joined job ", relay.job);
  return welcome_to(*process);
}

void NodeManager::begin_relay(LaunchId launch, Relay& relay, uint32_t width, const cluster::Amounts& resources,
                              const cluster::Placement& placement) {
  relay.started_ns = clock_.now_ns();
  cluster_->host_worker(launcher_->expect(launch, relay.job, cluster_->gateway_pid()), relay.peer, width, resources,
                        cluster::words_of(placement));
}

// It has not joined, and will not.
void NodeManager::refuse_relay(std::map<LaunchId, Relay>::iterator relay, const std::string& why) {
  launcher_->forget(relay->first);
  Relay gone = std::move(relay->second);
  relay_launches_.erase(relay);
  if (gone.actor) {
    coordinator_.stand_in_failed(*gone.actor, gone.incarnation, disconnected_error(why));
    settle();
  }
}

void NodeManager::relay_gone(Process& process) {
  shm::SlotIndex slot = process.key.slot;
  for (auto entry = relay_launches_.begin(); entry != relay_launches_.end(); ++entry) {
    if (entry->second.slot == slot) {
      if (!entry->second.ending && !entry->second.actor) {
        directory_.unlist_worker(slot, entry->second.class_index);
      }
      relay_launches_.erase(entry);
      break;
    }
  }
  std::string text = process.crash.empty() ? "its link to another node ended" : process.crash;
  publish_death(process, 0, shm::DeathReason::kDisconnected, text);
}

void NodeManager::end_relay(Relay& relay, const std::string& why) {
  if (std::exchange(relay.ending, true) || !relay.slot) {
    return;
  }
  if (!relay.actor) {
    directory_.withdraw(*relay.slot);
    directory_.unlist_worker(*relay.slot, relay.class_index);
  }
  if (Process* process = processes_.at(*relay.slot); process != nullptr && process->notices) {
    process->notices->exit(why);
  }
}

// Another one for the next calls would do nothing that it could not do, too. The end of what it keeps is a look's to
// see: that comes with the round that counts it.
bool NodeManager::keeps_values(shm::SlotIndex slot) {
  const Process* process = processes_.at(slot);
  return process != nullptr && objects_->ownership().elsewhere_of(process->id()) != 0;
}

void NodeManager::fetch_values_of(const Relay& relay) {
  const Process* process = relay.slot ? processes_.at(*relay.slot) : nullptr;
  if (process != nullptr) {
    objects_->change([id = process->id()](store::Ownership& ownership, store::Instructions& out) {
      ownership.fetch_all_of(id, out);
      return true;
    });
  }
}

// One that is told to leave may stay for what it has promised (that is the gateway's to know), and is not looked at. A
// stand-in that has joined needs no looks: what it has to say comes as calls of its session.
bool NodeManager::relays_busy() const {
  return std::any_of(relay_launches_.begin(), relay_launches_.end(), [](const auto& entry) {
    const Relay& relay = entry.second;
    return !relay.slot || !(relay.ending || relay.resting || relay.actor);
  });
}

void NodeManager::look_at_relays() {
  int64_t now = clock_.now_ns();
  std::vector<LaunchId> late;
  for (auto& [launch, relay] : relay_launches_) {
    if (!relay.slot) {
      if (now - relay.started_ns > kRelayJoinNs) {
        late.push_back(launch);
      }
      continue;
    }
    if (cluster_->drains(relay.peer)) {
      fetch_values_of(relay);
    }
    if (relay.actor) {
      continue;  // it stays as long as its actor has handles here
    }
    uint64_t executed = calls_.executed(*relay.slot).any();
    if (executed != relay.executed || calls_.function_plus_one(*relay.slot).any() != 0) {
      relay.busy_ns = now;
    }
    relay.executed = executed;
    adapt_width(relay, now);
    relay.resting = now - relay.busy_ns > kRelayIdleNs && keeps_values(*relay.slot);
    if (!relay.ending && !relay.resting && now - relay.busy_ns > kRelayIdleNs) {
      end_relay(relay, "no calls wait for it");
    }
  }
  for (LaunchId launch : late) {
    if (auto found = relay_launches_.find(launch); found != relay_launches_.end()) {
      refuse_relay(found, "its worker did not join in time");
    }
  }
}

// Calls that end soon want more of them under way than the peer runs at a time, or it would wait for the next one as
// long as the way there and back takes.
void NodeManager::adapt_width(Relay& relay, int64_t now_ns) {
  constexpr int64_t kMeasureNs = 20 * kMillisecondNs;
  constexpr int64_t kShortNs = 5 * kMillisecondNs;
  constexpr int64_t kLongNs = 50 * kMillisecondNs;
  int64_t passed_ns = now_ns - relay.rate_ns;
  if (passed_ns < kMeasureNs || relay.ending) {
    return;
  }
  uint64_t ended = relay.executed - relay.rate_base;
  relay.rate_base = relay.executed;
  relay.rate_ns = now_ns;
  uint32_t width = relay.width;
  relay.moved_ns = ended != 0 ? now_ns : relay.moved_ns;
  int64_t each_ns = ended != 0 ? passed_ns * relay.width / static_cast<int64_t>(ended) : now_ns - relay.moved_ns;
  if (ended != 0 && each_ns < kShortNs) {
    width = std::min(kMaxRelayWidth, relay.width * 2);
  } else if (each_ns > kLongNs) {
    width = std::max(relay.base_width, relay.width / 2);
  }
  if (width != relay.width) {
    relay.width = width;
    cluster_->set_width(*relay.slot, width);
  }
}

// --- ClusterHost

cluster::NodeState NodeManager::node_state() {
  const NodeResources& resources = coordinator_.scheduler().resources();
  cluster::NodeState state = cluster::state_of(resources);
  // What idle leases hold is theirs only as long as nobody else wants it (S5).
  for (size_t i = 0; i < state.total.size(); ++i) {
    for (size_t id = 0; id < resources.name_count(); ++id) {
      auto resource = static_cast<ResourceId>(id);
      if (resource != kGpu && resources.name(resource) == state.total[i].name) {
        state.available[i] = coordinator_.scheduler().available(resource);
      }
    }
  }
  state.labels = labels_;
  store::LoanLedger::Usage usage = objects_->ledger().usage();
  state.store_used_bytes = usage.used_bytes;
  state.store_capacity_bytes = usage.capacity_bytes;
  for (const Scheduler::ClassView& view : coordinator_.scheduler().classes()) {
    state.waiting += view.waiting;
  }
  return state;
}

std::vector<ClassBacklog> NodeManager::backlogs(bool all) {
  std::vector<ClassBacklog> list;
  for (const Scheduler::ClassView& view : coordinator_.scheduler().classes()) {
    auto job = jobs_.find(view.job);
    bool decided_outside = view.place->decided_outside();
    bool has_links = false;
    bool at_once = decided_outside || (view.waiting != 0 && view.infeasible);
    if (job == jobs_.end() || job->second.over || view.place->here_only || view.place->placement().in_group() ||
        (!all && !at_once)) {
      continue;
    }
    ClassBacklog backlog;
    backlog.class_index = view.class_index;
    backlog.job = view.job;
    backlog.place = *view.place;
    backlog.resources = amounts_of(*view.resources);
    backlog.waiting = view.waiting;
    backlog.leases_here = view.leases_here;
    for (const auto& [launch, relay] : relay_launches_) {
      if (relay.class_index == view.class_index && !relay.ending && !relay.actor) {
        uint32_t under_way = under_way_of(relay);
        backlog.under_way += under_way;
        backlog.promised += relay.width - under_way;
        backlog.links_ready = backlog.links_ready && relay.slot.has_value();
        has_links = true;
      }
    }
    if (decided_outside || view.waiting != 0 || has_links) {
      list.push_back(std::move(backlog));
    }
  }
  return list;
}

uint32_t NodeManager::under_way_of(const Relay& relay) const {
  return relay.slot ? std::min(calls_.under_way(*relay.slot).any(), relay.width) : 0;
}

void NodeManager::send_calls(const ClassBacklog& backlog, const cluster::NodeKey& peer, PlacePlan::Share share) {
  uint32_t most = std::min(kMaxRelayWidth, share.most);
  for (auto& [launch, relay] : relay_launches_) {
    if (relay.class_index == backlog.class_index && relay.peer == peer && !relay.ending && !relay.actor) {
      // What was promised before was not counted among `calls`.
      relay.base_width = std::min(most, std::max(relay.base_width, under_way_of(relay)) + share.calls);
      relay.width = std::max(relay.width, relay.base_width);
      if (relay.slot) {
        cluster_->set_width(*relay.slot, relay.width);
      }
      return;
    }
  }
  LaunchId launch = next_relay_launch_++;
  Relay& relay = relay_launches_[launch];
  relay.job = backlog.job;
  relay.class_index = backlog.class_index;
  relay.peer = peer;
  relay.width = relay.base_width = std::min(most, share.calls);
  begin_relay(launch, relay, relay.width, backlog.resources, backlog.place.placement());
}

void NodeManager::let_go(shm::ClassIndex class_index) {
  for (auto& [launch, relay] : relay_launches_) {
    if (relay.class_index == class_index && !relay.actor && relay.slot && under_way_of(relay) == 0) {
      end_relay(relay, "no calls wait for it");
    }
  }
}

void NodeManager::node_gone(const cluster::NodeKey& peer) {
  for (auto& [launch, relay] : relay_launches_) {
    // Stand-ins that have joined end with the gateway's link: what they ran counts as lost (ExportedClass).
    if (relay.peer == peer && !(relay.actor && relay.slot)) {
      end_relay(relay, "the node that its calls went to is gone");
    }
  }
  stand_ins_lost(peer);
  tend_groups();  // calls may have lost their bundle
}

void NodeManager::node_drains(const cluster::NodeKey& peer) {
  for (const auto& [launch, relay] : relay_launches_) {
    if (relay.peer == peer) {
      fetch_values_of(relay);
    }
  }
}

void NodeManager::gateway_ended() {
  std::erase_if(relay_launches_, [&](const auto& entry) {
    if (!entry.second.slot) {
      launcher_->forget(entry.first);
    }
    return !entry.second.slot;
  });
}

}  // namespace sabir::node
