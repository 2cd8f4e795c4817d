#include "tests/simulation/cluster/cluster_world.h"

#include <algorithm>

#include "tests/simulation/cluster/sim_head.h"
#include "tests/simulation/cluster/sim_node.h"

namespace sabir::simulation {

using namespace cluster;

NodeId sim_node_id(size_t number) {
  IdBits bits;
  bits.bytes[0] = static_cast<uint8_t>((number + 1) >> 8);
  bits.bytes[1] = static_cast<uint8_t>(number + 1);
  bits.bytes[15] = 1;
  return NodeId(bits);
}

ClusterWorld::ClusterWorld(uint64_t seed, ClusterOptions options)
    : engine_(seed), options_(std::move(options)), head_(std::make_unique<SimHead>(this)) {
  head_->start();
  for (size_t i = 0; i < options_.nodes.size(); ++i) {
    nodes_.push_back(std::make_unique<SimNode>(this, sim_node_id(i), options_.nodes[i]));
    by_id_[nodes_.back()->id()] = nodes_.back().get();
    nodes_.back()->join(static_cast<int64_t>(random(20)) * kMs);
  }
}

ClusterWorld::~ClusterWorld() = default;

// --- Time

void ClusterWorld::at(int64_t delay_ns, std::function<void()> what) {
  events_.push({clock_.now_ns() + delay_ns, next_order_++, std::move(what)});
}

void ClusterWorld::run_for(int64_t duration_ns) {
  run_until([] { return false; }, duration_ns);
}

bool ClusterWorld::run_until(const std::function<bool()>& good, int64_t limit_ns) {
  int64_t end_ns = clock_.now_ns() + limit_ns;
  int64_t look_ns = clock_.now_ns();
  while (!events_.empty() && events_.top().at_ns <= end_ns) {
    if (clock_.now_ns() >= look_ns) {  // not after each event: it may walk everything
      if (good()) {
        return true;
      }
      look_ns = clock_.now_ns() + 20 * kMs;
    }
    Event event = events_.top();
    events_.pop();
    clock_.advance_ns(event.at_ns - clock_.now_ns());
    event.what();
  }
  clock_.advance_ns(end_ns - clock_.now_ns());
  return good();
}

// --- The network

bool ClusterWorld::is_cut(const Address& address) const {
  if (!address) {
    return false;
  }
  auto found = cut_until_ns_.find(address->id);
  return found != cut_until_ns_.end() && found->second > clock_.now_ns();
}

void ClusterWorld::send(const Address& from, const Address& to, Message message, bool reliable) {
  size_t bytes = size_bytes(message);
  messages += 1;
  message_bytes += bytes;
  head_bytes += from ? 0 : bytes;
  auto& [kind_messages, kind_bytes] = by_kind[kind_of(message)];
  kind_messages += 1;
  kind_bytes += bytes;
  if (!reliable && chance(options_.loss)) {
    return;
  }
  auto shared = std::make_shared<const Message>(std::move(message));
  for (int copies = !reliable && chance(options_.twice) ? 2 : 1; copies > 0; --copies) {
    at(latency(), [this, from, to, shared, reliable] { deliver(from, to, *shared, reliable); });
  }
}

void ClusterWorld::deliver(const Address& from, const Address& to, const Message& message, bool reliable) {
  if (is_cut(from) || is_cut(to) || (reliable && !to && !head_->up())) {
    if (reliable) {
      at(100 * kMs, [this, from, to, message] { deliver(from, to, message, true); });
    }
    return;
  }
  if (!to) {
    if (head_->up()) {
      head_->on_message(*from, message);
    }
    return;
  }
  SimNode& node = *by_id_.at(to->id);
  if (node.life() != nullptr && (node.life()->key == *to || names_its_receiver(message))) {
    node.on_message(from, message);
  }
}

// --- Workload and faults

void ClusterWorld::submit(size_t node, size_t class_index, uint32_t count, int64_t duration_ns) {
  for (uint32_t i = 0; i < count; ++i) {
    nodes_[node]->submit({next_call_++, static_cast<uint32_t>(class_index), duration_ns});
  }
}

void ClusterWorld::create_group(const GroupSpec& spec) {
  created_.insert(spec.id);
  specs_[spec.id] = spec;
  head_->create_group(spec);
}

void ClusterWorld::remove_group(const GroupId& group) {
  if (removed_.insert(group).second) {
    head_->remove_group(group);
  }
}

void ClusterWorld::kill_node(size_t node, int64_t down_ns) {
  nodes_[node]->die();
  nodes_[node]->join(down_ns);
}

void ClusterWorld::lose_node(size_t node) { nodes_[node]->leave(); }

void ClusterWorld::cut_node(size_t node, int64_t duration_ns) {
  cut_until_ns_[nodes_[node]->id()] = clock_.now_ns() + duration_ns;
}

void ClusterWorld::kill_head(int64_t down_ns) {
  if (head_->up()) {
    head_->die();
    at(down_ns, [this] { head_->start(); });
  }
}

void ClusterWorld::drain_node(size_t node) { nodes_[node]->drain(); }

void ClusterWorld::end_faults() {
  options_.loss = options_.twice = 0;
  cut_until_ns_.clear();
}

}  // namespace sabir::simulation
