#include "tests/simulation/cluster/sim_node.h"

#include "tests/simulation/cluster/sim_head.h"

namespace sabir::simulation {

using namespace cluster;

SimNode::SimNode(ClusterWorld* world, NodeId id, NodePlan plan)
    : world_(world), id_(id), plan_(std::move(plan)), name_(describe(NodeKey{id, 0})) {}

SimNode::Life::Life(NodeKey key_in, const NodePlan& plan, ClusterWorld* world)
    : key(key_in),
      resources(*node::NodeResources::create(plan.total)),
      ledger(&resources),
      view(key, {}, &world->clock()),
      publisher(key, {}, &world->clock()),
      bundles(key, world->options().bundles, &ledger, &world->clock(), &bundle_out),
      server(key, world->options().leases, &view, &ledger, &world->clock(), &server_out),
      client(key, {}, &view, &world->clock(), &world->engine(), &client_out) {
  view.add_node(key);
  const std::vector<CallClass>& classes = world->options().classes;
  for (uint32_t i = 0; i < classes.size(); ++i) {
    client.add_class({.token = i, .job = 1, .resources = classes[i].resources}, classes[i].strategy);
  }
}

void SimNode::join(int64_t delay_ns) {
  if (joining_ || left_) {
    return;
  }
  joining_ = true;
  world_->at(delay_ns, [this] {
    joining_ = false;
    if (left_) {
      return;
    }
    std::optional<NodeKey> key = world_->head().join(id_);
    if (!key) {
      join(100 * kMs);
      return;
    }
    life_ = std::make_unique<Life>(*key, plan_, world_);
    heartbeat(key->incarnation);
    act();
  });
}

void SimNode::die() { life_ = nullptr; }

void SimNode::leave() {
  left_ = true;
  die();
}

void SimNode::later(int64_t delay_ns, std::function<void()> what) {
  world_->at(delay_ns, [this, incarnation = life_->key.incarnation, what = std::move(what)] {
    if (life_ != nullptr && life_->key.incarnation == incarnation) {
      what();
    }
  });
}

void SimNode::heartbeat(uint64_t incarnation) {
  world_->send(life_->key, std::nullopt, Heartbeat{});
  later(200 * kMs, [this, incarnation] { heartbeat(incarnation); });
}

void SimNode::drain() {
  if (life_ != nullptr) {
    life_->draining = true;
    life_->server.drain();
    life_->bundles.drain();
    act();
  }
}

// --- Messages

void SimNode::on_message(const Address& from, const Message& message) {
  Life& life = *life_;
  if (const auto* what = std::get_if<HeartbeatAnswer>(&message)) {
    if (what->epoch < life.epoch) {
      return;
    }
    if (what->fenced) {  // taken for dead: it ends itself and comes back as another one
      die();
      join(50 * kMs);
      return;
    }
    if (what->epoch > life.epoch) {
      life.epoch = what->epoch;
      life.publisher.restart();
      life.inventory_ns = 0;
      for (const GroupId& group : life.wanted_groups) {
        world_->send(life.key, std::nullopt, WantGroup{group}, true);
      }
    }
    if (!what->subscribed) {
      world_->send(life.key, std::nullopt, Subscribe{life.view.position()});
    }
    if (world_->now_ns() - life.inventory_ns >= 2 * kSecondNs) {  // G6
      life.inventory_ns = world_->now_ns();
      world_->send(life.key, std::nullopt, life.bundles.inventory());
    }
  } else if (const auto* what = std::get_if<ReportReply>(&message)) {
    life.publisher.answered(what->version, what->answer);
  } else if (const auto* what = std::get_if<BatchPtr>(&message)) {
    world_->send(life.key, std::nullopt, life.view.apply(**what));
  } else if (const auto* what = std::get_if<GroupPlaces>(&message)) {
    uint64_t& order = life.group_orders[what->group];
    if (what->order > order) {
      order = what->order;
      life.client.set_group(what->group, what->bundles);
    }
  } else if (const auto* what = std::get_if<PrepareBundles>(&message)) {
    if (auto answer = life.bundles.prepare(*what)) {
      publish();
      answer->report = report();
      world_->send(life.key, std::nullopt, *std::move(answer));
    }
  } else if (const auto* what = std::get_if<CommitBundles>(&message)) {
    if (auto answer = life.bundles.commit(*what)) {
      world_->send(life.key, std::nullopt, *std::move(answer));
    }
  } else if (const auto* what = std::get_if<DropBundles>(&message)) {
    if (auto answer = life.bundles.drop(*what)) {
      carry_out();
      publish();
      answer->report = report();
      world_->send(life.key, std::nullopt, *std::move(answer));
    }
  } else if (const auto* what = std::get_if<LeaseRequest>(&message)) {
    life.server.on_request(*what);
  } else if (const auto* what = std::get_if<LeaseStatus>(&message)) {
    life.server.on_status(*what);
  } else if (const auto* what = std::get_if<LeaseAnswer>(&message)) {
    life.client.on_answer(*what);
  } else if (const auto* what = std::get_if<LeaseStatusAnswer>(&message)) {
    life.client.on_status_answer(*what);
  } else if (const auto* what = std::get_if<LeaseRecall>(&message)) {
    life.client.on_recall(*what);
  } else if (const auto* what = std::get_if<RunCall>(&message)) {
    std::optional<RemoteLeaseServer::Slot> slot = life.server.begin(*from, what->lease);
    if (slot) {
      start({.call = {what->call, what->class_index, what->duration_ns},
             .submitter = *from,
             .lease = what->lease,
             .slot = slot->id,
             .bundle = slot->bundle});
    } else {
      world_->send(life.key, from, CallEnded{what->call, false}, true);
    }
  } else if (const auto* what = std::get_if<CallEnded>(&message)) {
    call_ended(what->call, what->done);
  }
  act();
}

// --- Everything that may be due

void SimNode::act() {
  Life& life = *life_;
  life.bundles.tick();
  carry_out();
  lose_sent();
  set_local_waiting();
  life.server.tick();
  run_local();
  publish();
  set_backlogs();
  life.client.tick();
  carry_out();
  run_local();
  send_calls();
  if (world_->options().check_each_step) {
    world_->check_node(*this);
  }
  if (std::optional<NodeReport> due = life.publisher.next()) {
    world_->send(life.key, std::nullopt, *std::move(due));
  }
  plan_wake();
}

void SimNode::publish() {
  Life& life = *life_;
  NodeState state = state_of(life.resources);
  state.labels = plan_.labels;
  state.draining = life.draining;
  for (const auto& [index, queue] : life.queues) {
    state.waiting += queue.size();
    if (!queue.empty() && state.demand.size() < kMaxDemandShapes) {
      bool infeasible = life.client.outcome(index) == Decision::Outcome::kInfeasible;
      state.demand.push_back({world_->options().classes[index].resources, queue.size(), infeasible,
                              infeasible ? life.client.explain(index) : ""});
    }
  }
  state.waiting += life.server.waiting_count();
  life.publisher.observe(std::move(state));
  life.view.apply_report(life.publisher.own());
}

void SimNode::carry_out() {
  Life& life = *life_;
  for (const EndBundleUsers& what : std::exchange(life.bundle_out, {})) {
    life.server.end_bundle(what.bundle);
    std::vector<uint64_t> local;
    for (const auto& [number, run] : life.running) {
      if (run.lease == 0 && run.bundle == what.bundle) {
        local.push_back(number);
      }
    }
    for (uint64_t number : local) {
      stop(number);
    }
  }
  while (!life.server_out.empty()) {
    for (LeaseServerInstruction& instruction : std::exchange(life.server_out, {})) {
      if (auto* what = std::get_if<LeaseAnswer>(&instruction)) {
        publish();
        what->report = report();
        world_->send(life.key, what->client, *what);
      } else if (auto* what = std::get_if<LeaseStatusAnswer>(&instruction)) {
        world_->send(life.key, what->client, *what);
      } else if (auto* what = std::get_if<LeaseRecall>(&instruction)) {
        world_->send(life.key, what->client, *what);
      } else if (auto* what = std::get_if<StopSlot>(&instruction)) {
        for (const auto& [number, run] : life.running) {
          if (run.slot == what->slot) {
            stop(number);
            break;
          }
        }
      }
    }
  }
  for (LeaseClientInstruction& instruction : std::exchange(life.client_out, {})) {
    if (auto* what = std::get_if<LeaseRequest>(&instruction)) {
      world_->send(life.key, what->server, *what);
    } else if (auto* what = std::get_if<LeaseStatus>(&instruction)) {
      world_->send(life.key, what->server, *what);
    } else if (auto* what = std::get_if<RunHere>(&instruction)) {
      life.allowed_here[static_cast<uint32_t>(what->token)] += what->calls;
    } else if (auto* what = std::get_if<UseSlots>(&instruction)) {
      if (what->slots == 0) {
        life.use.erase(what->number);
      } else {
        life.use[what->number] = *what;
      }
    }
  }
}

void SimNode::plan_wake() {
  Life& life = *life_;
  std::optional<int64_t> wake;
  for (std::optional<int64_t> one : {life.client.next_wake_ns(), life.server.next_wake_ns(),
                                     life.bundles.next_wake_ns(), life.publisher.next_wake_ns()}) {
    if (one) {
      wake = std::min(wake.value_or(INT64_MAX), *one);
    }
  }
  if (!wake) {
    return;
  }
  int64_t at_ns = std::max(*wake, world_->now_ns() + 200'000);
  if (life.wake_ns && *life.wake_ns <= at_ns) {
    return;
  }
  life.wake_ns = at_ns;
  later(at_ns - world_->now_ns(), [this, at_ns] {
    if (life_->wake_ns == at_ns) {
      life_->wake_ns.reset();
      act();
    }
  });
}

}  // namespace sabir::simulation
