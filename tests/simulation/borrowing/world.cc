#include "tests/simulation/borrowing/world.h"

#include <algorithm>

#include "tests/simulation/borrowing/world_parts.h"

namespace sabir::simulation {

using Break = BorrowWorldOptions::Break;

BorrowWorld::BorrowWorld(uint64_t seed, BorrowWorldOptions options)
    : engine_(seed), options_(options), machines_(options.machines) {
  for (Machine machine = 0; machine < options_.machines; ++machine) {
    start(machine);
  }
}

BorrowWorld::~BorrowWorld() = default;

// --- time

void BorrowWorld::at(int64_t delay_ns, std::function<void()> what) {
  events_.push({clock_.now_ns() + delay_ns, next_order_++, std::move(what)});
}

void BorrowWorld::run_for(int64_t duration_ns) {
  int64_t end_ns = clock_.now_ns() + duration_ns;
  while (!events_.empty() && events_.top().at_ns <= end_ns && violations_.empty()) {
    Event event = events_.top();
    events_.pop();
    clock_.advance_ns(event.at_ns - clock_.now_ns());
    event.what();
  }
  clock_.advance_ns(std::max<int64_t>(end_ns - clock_.now_ns(), 0));
}

// --- network: by machine, so what was sent to one incarnation may meet the next

void BorrowWorld::send(const Node& from, Incarnation to, Message message) {
  message.from = from.self;
  message.to = to;
  ++messages;
  Machine there = places_.at(to);
  auto parted = parted_until_ns_.find({from.machine, there});
  if (!calm_ && ((parted != parted_until_ns_.end() && clock_.now_ns() < parted->second) || chance(options_.loss))) {
    return;
  }
  int copies = !calm_ && chance(options_.copy) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    // A copy may be very late.
    int64_t late_ns = i == 0 ? 0 : static_cast<int64_t>(random(kSecondNs));
    at(delay() + late_ns, [this, there, message] {
      if (machines_[there] != nullptr) {
        deliver(*machines_[there], message);
      }
    });
  }
}

void BorrowWorld::part(Machine one, Machine other, int64_t duration_ns) {
  parted_until_ns_[{one, other}] = clock_.now_ns() + duration_ns;  // one way
}

// --- the lives of nodes

void BorrowWorld::start(Machine machine) {
  SABIR_CHECK(machines_[machine] == nullptr);
  control::NodeLogEntry entry = log_.join();
  entries_.push_back(entry);
  auto node = std::make_unique<Node>();
  node->self = entry.node;
  node->machine = machine;
  node->told = entry.position;
  Node* raw = node.get();
  node::BorrowOwner::Options owner{
      .exists = [raw](shm::EntryRef object) { return raw->objects.contains(object.entry) && object.generation == 1; }};
  node->borrowing = std::make_unique<node::Borrowing>(entry.node, log_.snapshot(), owner, options_.client, &clock_);
  places_[entry.node] = machine;
  machines_[machine] = std::move(node);
  beat(machine, entry.node);
}

void BorrowWorld::stop(Machine machine) { machines_[machine].reset(); }

void BorrowWorld::write_death(Incarnation node) {
  std::optional<control::NodeLogEntry> entry = log_.die(node);
  if (entry) {
    entries_.push_back(*entry);
    ++deaths;
    settled_ = options_.broken == Break::kSettlesAtOnce ? entry->position : std::max(settled_, log_.settled());
  }
}

void BorrowWorld::kill(Machine machine) {
  if (machines_[machine] == nullptr) {
    return;
  }
  Incarnation node = machines_[machine]->self;
  stop(machine);
  at(delay() * 5, [this, node] { write_death(node); });
  at(delay() * 20, [this, machine] {
    if (machines_[machine] == nullptr) {
      start(machine);
    }
  });
}

void BorrowWorld::cut_off(Machine machine) {
  if (machines_[machine] == nullptr || machines_[machine]->cut) {
    return;
  }
  Incarnation node = machines_[machine]->self;
  machines_[machine]->cut = true;
  at(delay() * 5, [this, node] { write_death(node); });
  at(delay() * 50, [this, machine, node] {
    if (machines_[machine] != nullptr && machines_[machine]->self == node) {
      stop(machine);
      start(machine);
    }
  });
}

void BorrowWorld::declare_dead(Machine machine) {
  if (machines_[machine] != nullptr) {
    write_death(machines_[machine]->self);
  }
}

// What sabird does now and then: look at the clock, send again what nobody answered, hear the control store.
void BorrowWorld::beat(Machine machine, Incarnation incarnation) {
  Node* node = machines_[machine].get();
  if (node == nullptr || node->self != incarnation) {
    return;
  }
  if (!node->cut) {
    if (chance(options_.news)) {
      tell_log(*node);
    }
    if (machines_[machine].get() != node) {
      return;  // it learned that it is dead
    }
    if (random(20) == 0) {  // a new connection to the control store
      acknowledge(*node);
    }
  }
  node::BorrowInstructions out;
  std::optional<int64_t> wake_ns = node->borrowing->next_wake_ns();
  if (wake_ns && *wake_ns <= clock_.now_ns()) {
    node->borrowing->tick(out);
  }
  if (random(50) == 0) {
    node->borrowing->connected(places_.rbegin()->first - random(places_.size()), out);
  }
  carry_out(*node, out);
  std::erase_if(node->lent, [&](const auto& item) {
    return node->borrowing->view().standing(item.second.receiver) == node::ClusterView::Standing::kDead;
  });
  for (const auto& [number, lent] : node->lent) {
    if (random(4) == 0) {
      send_carrier(*node, number);
    }
  }
  at(delay(), [this, machine, incarnation] { beat(machine, incarnation); });
}

// The control store's words come in order, and some time.
void BorrowWorld::tell_log(Node& node) {
  node::BorrowInstructions out;
  Result<void> told;
  if (chance(options_.snapshot)) {
    told = node.borrowing->log_snapshot(log_.snapshot(), out);
  } else if (node.told < entries_.size()) {
    const control::NodeLogEntry& entry = entries_[node.told];
    told = node.borrowing->log_entry(entry, out);
  }
  if (told.ok()) {
    node.told = node.borrowing->view().position();
    if (settled_ <= node.told) {
      told = node.borrowing->deaths_settled(settled_, out);
    }
  }
  if (!told.ok()) {
    if (told.error().kind() != ErrorKind::kDisconnected || log_.is_live(node.self)) {
      violation("the log of nodes is refused: " + told.error().to_string());
    }
    Machine machine = node.machine;
    stop(machine);
    start(machine);
    return;
  }
  carry_out(node, out);
}

void BorrowWorld::acknowledge(const Node& node) {
  if (node.cut) {
    return;
  }
  at(delay(), [this, self = node.self, position = node.borrowing->acknowledged()] {
    if (log_.acknowledge(self, position).ok()) {
      settled_ = std::max(settled_, options_.broken == Break::kSettlesForOne ? position : log_.settled());
    }
  });
}

BorrowWorld::Node* BorrowWorld::node_of(Incarnation node) {
  auto place = places_.find(node);
  if (place == places_.end() || machines_[place->second] == nullptr || machines_[place->second]->self != node) {
    return nullptr;
  }
  return machines_[place->second].get();
}

BorrowWorld::Node* BorrowWorld::some_node() { return machines_[random(machines_.size())].get(); }

// --- the end

bool BorrowWorld::calm_down() {
  calm_ = true;
  for (int i = 0; i < 2000 && violations_.empty(); ++i) {
    for (auto& machine : machines_) {
      if (machine == nullptr) {
        continue;
      }
      Node& node = *machine;
      std::vector<CarrierId> carriers;
      for (const auto& [id, references] : node.running) {
        carriers.push_back(id);
      }
      for (CarrierId id : carriers) {
        finish(node, id, {}, false);
      }
      while (!node.held.empty()) {
        ObjectName object = node.held.begin()->first;
        unhold(node, object);
      }
      std::vector<uint64_t> own;
      for (const auto& [entry, object] : node.objects) {
        if (object.local > 0) {
          own.push_back(entry);
        }
      }
      for (uint64_t entry : own) {
        unhold(node, {node.self, 1, static_cast<shm::EntryIndex>(entry)});
      }
    }
    run_for(100 * kMillisecondNs);
    if (i > 20 && leftovers().empty()) {
      return true;
    }
  }
  return false;
}

std::string BorrowWorld::leftovers() const {
  std::string text;
  for (const auto& machine : machines_) {
    if (machine == nullptr) {
      return "a machine without a node; ";
    }
    const node::Borrowing& borrowing = *machine->borrowing;
    if (machine->cut) {
      text += "node " + std::to_string(machine->self) + " is cut off; ";
    }
    auto left = [&](const char* what, size_t count) {
      if (count > 0) {
        text += "node " + std::to_string(machine->self) + ": " + std::to_string(count) + " " + what + "; ";
      }
    };
    left("objects", machine->objects.size());
    left("objects in use", borrowing.owner().objects());
    left("borrowed objects", borrowing.client().objects());
    left("carriers", borrowing.client().carriers());
    left("open requests", borrowing.client().open_requests());
    left("carriers lent", borrowing.lends().carriers());
    left("dead nodes unsettled", borrowing.view().unsettled().size());
    left("carriers without an answer", machine->lent.size());
    left("carriers that run", machine->running.size());
  }
  return text;
}

}  // namespace sabir::simulation
