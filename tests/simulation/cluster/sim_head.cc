#include "tests/simulation/cluster/sim_head.h"

#include "runtime/base/check.h"

namespace sabir::simulation {

using namespace cluster;

SimHead::SimHead(ClusterWorld* world) : world_(world) {}

SimHead::Life::Life(uint64_t epoch, ClusterWorld* world)
    : view(NodeKey{}, {}, &world->clock()),
      hub(epoch, {}, &view, &world->clock()),
      groups(epoch, {}, &view, &world->clock(), &world->engine(), &out) {}

void SimHead::start() {
  epoch_ += 1;
  life_ = std::make_unique<Life>(epoch_, world_);
  for (const auto& [id, node] : registry_) {
    if (node.alive) {
      life_->hub.add_node({id, node.incarnation});
      life_->heard_ns[id] = world_->now_ns();
    }
  }
  std::vector<GroupRecord> records;
  for (const auto& [id, bytes] : disk_) {
    records.push_back(*decode_group(bytes));
  }
  life_->groups.load(std::move(records));
  look_for_dead(epoch_);
  act();
}

void SimHead::die() { life_ = nullptr; }

// --- The registry

std::optional<NodeKey> SimHead::join(const NodeId& id) {
  if (!up()) {
    return std::nullopt;
  }
  Registered& node = registry_[id];
  if (node.alive) {
    declare_dead({id, node.incarnation});
  }
  node = {node.incarnation + 1, true};
  NodeKey key{id, node.incarnation};
  life_->hub.add_node(key);
  life_->heard_ns[id] = world_->now_ns();
  life_->groups.node_added();
  act();
  return key;
}

void SimHead::declare_dead(NodeKey node) {
  registry_.at(node.id).alive = false;
  life_->hub.remove_node(node);
  life_->subscribed.erase(node);
  life_->groups.node_gone(node);
}

void SimHead::look_for_dead(uint64_t epoch) {
  if (!up() || epoch != epoch_) {
    return;
  }
  for (const auto& [id, node] : registry_) {
    if (node.alive && world_->now_ns() - life_->heard_ns[id] > world_->options().dead_after_ns) {
      declare_dead({id, node.incarnation});
    }
  }
  act();
  world_->at(200 * kMs, [this, epoch] { look_for_dead(epoch); });
}

// --- Groups

// A driver asks until it has an answer, under the same id; nothing is removed before that.
void SimHead::create_group(const GroupSpec& spec) {
  if (world_->group_removed(spec.id)) {
    return;
  }
  if (up()) {
    Result<void> result = life_->groups.create(spec);
    SABIR_CHECK(result.ok(), result.ok() ? "" : result.error().message());
    act();
  }
  world_->at(300 * kMs, [this, spec] {
    if (!durable(spec.id)) {
      create_group(spec);
    }
  });
}

void SimHead::remove_group(const GroupId& group) {
  if (up()) {
    life_->groups.remove(group);
    act();
  }
  world_->at(300 * kMs, [this, group] {
    if (!up() || durable(group) || life_->groups.view(group)) {
      remove_group(group);
    }
  });
}

void SimHead::publish(const GroupId& group) {
  GroupPlaces places{group, ++publications_, life_->groups.locations(group)};
  for (const NodeKey& node : life_->wanted[group]) {
    world_->send(std::nullopt, node, places, true);
  }
}

// --- Messages

void SimHead::answer(const NodeKey& to, Message message) { world_->send(std::nullopt, to, std::move(message)); }

void SimHead::on_message(const NodeKey& from, const Message& message) {
  auto registered = registry_.find(from.id);
  bool alive =
      registered != registry_.end() && registered->second.alive && registered->second.incarnation == from.incarnation;
  if (!alive) {
    answer(from, HeartbeatAnswer{epoch_, true, false});
    return;
  }
  life_->heard_ns[from.id] = world_->now_ns();
  if (std::holds_alternative<Heartbeat>(message)) {
    answer(from, HeartbeatAnswer{epoch_, false, life_->subscribed.contains(from)});
  } else if (const auto* what = std::get_if<Subscribe>(&message)) {
    life_->hub.subscribe(from, what->has);
    life_->subscribed.insert(from);
  } else if (const auto* what = std::get_if<WantGroup>(&message)) {
    life_->wanted[what->group].insert(from);
    publish(what->group);
  } else if (const auto* what = std::get_if<NodeReport>(&message)) {
    answer(from, ReportReply{what->version, life_->hub.on_report(*what)});
  } else if (const auto* what = std::get_if<ViewPosition>(&message)) {
    life_->hub.on_position(from, *what);
  } else if (const auto* what = std::get_if<PrepareAnswer>(&message)) {
    if (what->report) {
      life_->hub.on_report(*what->report);
    }
    life_->groups.on_prepared(*what);
  } else if (const auto* what = std::get_if<CommitAnswer>(&message)) {
    life_->groups.on_committed(*what);
  } else if (const auto* what = std::get_if<DropAnswer>(&message)) {
    if (what->report) {
      life_->hub.on_report(*what->report);
    }
    life_->groups.on_dropped(*what);
  } else if (const auto* what = std::get_if<BundleInventory>(&message)) {
    life_->groups.on_inventory(*what);
  }
  act();
}

// --- Time

void SimHead::act() {
  life_->groups.tick();
  for (ViewHub::Send& send : life_->hub.tick()) {
    world_->send(std::nullopt, send.to, std::move(send.batch));
  }
  for (GroupInstruction& instruction : std::exchange(life_->out, {})) {
    life_->waiting.push_back(std::move(instruction));
  }
  carry_out();
  std::optional<int64_t> wake = life_->hub.next_wake_ns();
  if (auto other = life_->groups.next_wake_ns()) {
    wake = std::min(wake.value_or(INT64_MAX), *other);
  }
  if (wake && (!life_->wake_ns || *life_->wake_ns > *wake || *life_->wake_ns < world_->now_ns())) {
    int64_t at_ns = std::max(*wake, world_->now_ns() + 100'000);
    life_->wake_ns = at_ns;
    world_->at(at_ns - world_->now_ns(), [this, at_ns, epoch = epoch_] {
      if (up() && epoch == epoch_ && life_->wake_ns == at_ns) {
        life_->wake_ns.reset();
        act();
      }
    });
  }
}

// In order; what stands behind a write waits for it.
void SimHead::carry_out() {
  while (!life_->waiting.empty() && !life_->writing) {
    GroupInstruction instruction = std::move(life_->waiting.front());
    life_->waiting.pop_front();
    auto write = [&](std::function<void()> apply) {
      life_->writing = true;
      world_->at(static_cast<int64_t>(world_->random(3'000)) * 1000, [this, epoch = epoch_, apply = std::move(apply)] {
        if (up() && epoch == epoch_) {
          apply();
          life_->writing = false;
          carry_out();
        }
      });
    };
    if (auto* what = std::get_if<StoreGroup>(&instruction)) {
      write([this, id = what->record.spec.id, bytes = encode_group(what->record)] { disk_[id] = bytes; });
    } else if (auto* what = std::get_if<EraseGroup>(&instruction)) {
      write([this, id = what->group] { disk_.erase(id); });
    } else if (auto* what = std::get_if<AnswerWaiter>(&instruction)) {
      answers.insert_or_assign(what->waiter, what->result);
    } else if (auto* what = std::get_if<GroupChanged>(&instruction)) {
      publish(what->group);
    } else if (auto* what = std::get_if<PrepareBundles>(&instruction)) {
      answer(what->node, std::move(*what));
    } else if (auto* what = std::get_if<CommitBundles>(&instruction)) {
      answer(what->node, std::move(*what));
    } else if (auto* what = std::get_if<DropBundles>(&instruction)) {
      answer(what->node, std::move(*what));
    }
  }
}

}  // namespace sabir::simulation
