// What sabird does around Borrowing, and the checker.
#include <algorithm>

#include "tests/simulation/borrowing/world.h"
#include "tests/simulation/borrowing/world_parts.h"

namespace sabir::simulation {

using Break = BorrowWorldOptions::Break;
using namespace node;

template <typename... Cases>
struct Match : Cases... {
  using Cases::operator()...;
};

std::vector<ObjectName> BorrowWorld::Node::reached() const {
  std::set<ObjectName> all;
  for (const auto& [entry, object] : objects) {
    if (object.local > 0) {
      all.insert({self, 1, static_cast<shm::EntryIndex>(entry)});
    }
  }
  for (const auto& [object, count] : held) {
    all.insert(object);
  }
  for (const auto& [id, references] : running) {
    all.insert(references.begin(), references.end());
  }
  return {all.begin(), all.end()};
}

bool BorrowWorld::Node::reaches(const ObjectName& object) const {
  return held.contains(object) || std::ranges::any_of(running, [&](const auto& carrier) {
           return std::ranges::find(carrier.second, object) != carrier.second.end();
         });
}

// --- messages

void BorrowWorld::deliver(Node& node, const Message& message) {
  BorrowInstructions out;
  std::visit(Match{
                 [&](const CarrierMessage& carrier) {
                   if (message.to != node.self) {
                     return;
                   }
                   if (node.finished.contains(carrier.id)) {
                     send(node, carrier.id.lender, {.what = DoneMessage{carrier.id}});
                     return;
                   }
                   Result<void> arrived = node.borrowing->arrive(carrier.id, carrier.references, out);
                   if (!arrived.ok()) {
                     return;  // a copy, or its lender is dead or not known yet: it sends again
                   }
                   node.running[carrier.id] = carrier.references;
                   if (is_live(node)) {
                     for (const ObjectName& object : carrier.references) {
                       if (log_.is_live(object.owner) && !exists(object)) {
                         violation("a reference to an object that is gone arrives");
                       }
                     }
                   }
                 },
                 [&](const DoneMessage& done) {
                   if (message.to == node.self) {
                     node.borrowing->lent_done(done.id.number, message.from, out);
                     if (node.borrowing->view().standing(message.from) == ClusterView::Standing::kLive) {
                       node.lent.erase(done.id.number);
                     }
                   }
                 },
                 [&](const BorrowRequest& request) {
                   Result<void> taken = node.borrowing->request(request, out);
                   if (!taken.ok()) {
                     violation("a request is refused: " + taken.error().to_string());
                   }
                 },
                 [&](const BorrowAnswer& answer) { node.borrowing->answer(answer, out); },
             },
             message.what);
  carry_out(node, out);
}

void BorrowWorld::carry_out(Node& node, BorrowInstructions& out) {
  BorrowInstructions all = std::move(out);
  out.clear();
  for (const BorrowInstruction& instruction : all) {
    std::visit(Match{
                   [&](const SendRequest& send_it) { send(node, send_it.request.to, {.what = send_it.request}); },
                   [&](const SendAnswer& send_it) { send(node, send_it.answer.to, {.what = send_it.answer}); },
                   [&](const CarrierDone& done) {
                     ++carriers_finished;
                     node.finishing.erase(done.carrier);
                     node.finished.insert(done.carrier);
                     for (const ObjectName& object : done.lost) {
                       if (is_live(node) && log_.is_live(object.owner)) {
                         violation("a living owner's object is lost to a carrier");
                       }
                     }
                     send(node, done.carrier.lender, {.what = DoneMessage{done.carrier}});
                   },
                   [&](const ObjectLost& lost) {
                     ++objects_lost;
                     if (is_live(node) && log_.is_live(lost.object.owner)) {
                       violation("a living owner's object is lost");
                     }
                   },
                   [&](const HoldForCluster& hold_it) { node.objects.at(hold_it.object.entry).cluster = true; },
                   [&](const UnholdForCluster& unhold_it) {
                     node.objects.at(unhold_it.object.entry).cluster = false;
                     free_if_unheld(node, unhold_it.object);
                   },
                   [&](const AcknowledgeLog&) { acknowledge(node); },
               },
               instruction);
  }
  check(node);
}

// --- holds

void BorrowWorld::hold(Node& node, const ObjectName& object) {
  if (object.owner == node.self) {
    auto own = node.objects.find(object.entry);
    if (own != node.objects.end()) {
      ++own->second.local;
    }
    return;
  }
  BorrowInstructions out;
  if (node.held[object]++ == 0) {
    node.borrowing->hold(object, out).value();
  }
  carry_out(node, out);
}

void BorrowWorld::unhold(Node& node, const ObjectName& object) {
  if (object.owner == node.self) {
    --node.objects.at(object.entry).local;
    free_if_unheld(node, object.ref());
    return;
  }
  BorrowInstructions out;
  auto held = node.held.find(object);
  if (--held->second == 0) {
    node.held.erase(held);
    node.borrowing->unhold(object, out);
  }
  carry_out(node, out);
}

void BorrowWorld::free_if_unheld(Node& node, shm::EntryRef object) {
  auto own = node.objects.find(object.entry);
  if (own->second.local == 0 && !own->second.cluster) {
    node.objects.erase(own);
    ++objects_freed;
    if (is_live(node)) {
      check_freed({node.self, object.generation, object.entry});
    }
  }
}

void BorrowWorld::create_object() {
  Node* node = some_node();
  if (node != nullptr && !calm_) {
    node->objects[node->next_entry++].local = 1;
  }
}

void BorrowWorld::drop_a_hold() {
  Node* node = some_node();
  if (node == nullptr) {
    return;
  }
  std::vector<ObjectName> all;
  for (const auto& [object, count] : node->held) {
    all.push_back(object);
  }
  for (const auto& [entry, object] : node->objects) {
    if (object.local > 0) {
      all.push_back({node->self, 1, static_cast<shm::EntryIndex>(entry)});
    }
  }
  if (!all.empty()) {
    unhold(*node, all[random(all.size())]);
  }
}

// --- carriers

bool BorrowWorld::lend(Node& node, Incarnation receiver, const std::vector<ObjectName>& references) {
  BorrowInstructions out;
  uint64_t number = node.next_carrier++;
  bool lent = node.borrowing->lend(number, receiver, references, out).ok();
  if (lent) {
    node.lent[number] = {receiver, references};
  }
  carry_out(node, out);
  if (lent) {
    send_carrier(node, number);
  }
  if (lent && options_.broken == Break::kForgetsWhenSent) {
    node.borrowing->lent_done(number, receiver, out);
    carry_out(node, out);
  }
  return lent;
}

void BorrowWorld::send_carrier(Node& node, uint64_t number) {
  const Node::Lent& lent = node.lent.at(number);
  send(node, lent.receiver, {.what = CarrierMessage{{node.self, number}, lent.references}});
}

void BorrowWorld::call() {
  Node* node = some_node();
  Node* other = some_node();
  if (node == nullptr || other == nullptr || node == other) {
    return;
  }
  std::vector<ObjectName> all = node->reached();
  std::vector<ObjectName> references;
  for (uint64_t i = 1 + random(3); i > 0 && !all.empty(); --i) {
    references.push_back(all[random(all.size())]);
  }
  // A node that has just joined is not in everybody's view.
  if (!references.empty()) {
    lend(*node, other->self, references);
  }
}

void BorrowWorld::finish_a_carrier() {
  Node* node = some_node();
  if (node == nullptr || node->running.empty()) {
    return;
  }
  auto at = node->running.begin();
  std::advance(at, random(node->running.size()));
  CarrierId id = at->first;
  std::vector<ObjectName> kept;
  for (const ObjectName& object : at->second) {
    if (random(3) == 0) {
      kept.push_back(object);
    }
  }
  finish(*node, id, kept, chance(options_.result_carries));
}

void BorrowWorld::finish(Node& node, CarrierId id, const std::vector<ObjectName>& kept, bool answer_carries) {
  bool late = options_.broken == Break::kKeepsWithoutHold;
  for (const ObjectName& object : kept) {
    if (!late) {
      hold(node, object);
    }
  }
  if (answer_carries) {
    std::vector<ObjectName> all = node.reached();
    lend(node, id.lender, {all[random(all.size())]});
  }
  if (options_.broken == Break::kAnswersBeforeDone) {
    node.finished.insert(id);
    send(node, id.lender, {.what = DoneMessage{id}});
  }
  node.running.erase(id);
  node.finishing.insert(id);
  BorrowInstructions out;
  node.borrowing->finish(id, out);
  if (late) {
    for (const ObjectName& object : kept) {
      // Its process still has the address: the checker sees it.
      if (object.owner != node.self && node.borrowing->hold(object, out).ok()) {
        ++node.held[object];
      }
    }
  }
  carry_out(node, out);
}

// --- the checker

bool BorrowWorld::is_live(const Node& node) const { return log_.is_live(node.self); }

bool BorrowWorld::exists(const ObjectName& object) const {
  const auto& owner = machines_[places_.at(object.owner)];
  // Who crashed and is not in the log yet has lost its objects; nobody can tell yet.
  return owner == nullptr || owner->self != object.owner || owner->objects.contains(object.entry);
}

void BorrowWorld::check_freed(const ObjectName& object) {
  for (const auto& machine : machines_) {
    if (machine != nullptr && is_live(*machine) && machine->reaches(object)) {
      violation("object " + std::to_string(object.entry) + " of node " + std::to_string(object.owner) +
                " is freed and node " + std::to_string(machine->self) + " reaches it");
    }
  }
}

void BorrowWorld::check(Node& node) {
  std::string wrong = node.borrowing->check_invariants();
  if (!wrong.empty()) {
    violation(wrong);
  }
}

void BorrowWorld::violation(std::string text) {
  violations_.push_back("at " + std::to_string(clock_.now_ns() / kMillisecondNs) + " ms: " + std::move(text));
}

std::string BorrowWorld::describe() const {
  std::string text = leftovers();
  for (const std::string& one : violations_) {
    text += "\n  " + one;
  }
  return text;
}

}  // namespace sabir::simulation
