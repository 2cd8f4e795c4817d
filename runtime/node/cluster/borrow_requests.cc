// BorrowClient's requests: ids, window, retries, answers (N4, N5).
#include <algorithm>

#include "runtime/node/cluster/borrow_client.h"

namespace sabir::node {

using Kind = BorrowRequest::Kind;

void BorrowClient::enqueue(const ObjectName& object, Borrowed& borrowed, BorrowInstructions& out) {
  if (borrowed.queued) {
    return;
  }
  Owner& owner = owners_.at(object.owner);
  borrowed.queued = true;
  owner.queue.push_back(object);
  pump(object.owner, owner, out);
}

// What an object needs is decided when its turn comes, so nothing that changed its mind in the queue is sent.
void BorrowClient::pump(Incarnation node, Owner& owner, BorrowInstructions& out) {
  while (!owner.queue.empty() && owner.next_id - owner.lowest_open() < options_.window) {
    ObjectName object = owner.queue.front();
    owner.queue.pop_front();
    auto found = owner.objects.find(object);
    SABIR_CHECK(found != owner.objects.end() && found->second.queued && !found->second.registering);
    Borrowed& borrowed = found->second;
    borrowed.queued = false;
    if (borrowed.must_register()) {
      borrowed.registering = true;
      ++counters_.registers;
      send_new(node, owner, {.kind = Kind::kRegister, .object = object}, out);
    } else if (!borrowed.reached()) {
      uint32_t count = borrowed.registered;
      owner.objects.erase(found);
      if (count > 0) {
        ++counters_.releases;
        send_new(node, owner, {.kind = Kind::kRelease, .object = object, .count = count}, out);
      }
    }
  }
}

void BorrowClient::send_new(Incarnation node, Owner& owner, Open open, BorrowInstructions& out) {
  open.sent_ns = clock_->now_ns();
  if (owner.open.empty()) {
    owner.retry_after_ns = options_.first_retry_ns;
    owner.retry_at_ns = open.sent_ns + owner.retry_after_ns;
  }
  RequestId id = owner.next_id++;
  owner.open.emplace(id, open);
  send(node, owner, id, open, out);
}

void BorrowClient::send(Incarnation node, const Owner& owner, RequestId id, const Open& open,
                        BorrowInstructions& out) const {
  out.emplace_back(SendRequest{{.from = view_->self(),
                                .to = node,
                                .id = id,
                                .lowest_open = owner.lowest_open(),
                                .kind = open.kind,
                                .object = open.object,
                                .count = open.count}});
}

void BorrowClient::answer(const BorrowAnswer& answer, BorrowInstructions& out) {
  auto found = owners_.find(answer.from);
  if (answer.to != view_->self() || found == owners_.end()) {
    ++counters_.stale;
    return;
  }
  Owner& owner = found->second;
  auto open = owner.open.find(answer.id);
  if (open == owner.open.end()) {
    ++counters_.stale;
    return;
  }
  Open request = open->second;
  owner.open.erase(open);
  owner.retry_after_ns = options_.first_retry_ns;
  if (request.kind == Kind::kRegister) {
    Borrowed& borrowed = owner.objects.at(request.object);
    SABIR_CHECK(borrowed.registering);
    borrowed.registering = false;
    if (answer.outcome == BorrowAnswer::Outcome::kHeld) {
      ++borrowed.registered;
    } else {
      borrowed.lost = true;
      if (borrowed.reached()) {
        ++counters_.gone_while_reached;
        out.emplace_back(ObjectLost{request.object, LossReason::kUnknownToOwner});
      }
    }
    resolve(request.object, out);
  }
  pump(answer.from, owner, out);
  acknowledge(out);
}

void BorrowClient::connected(Incarnation node, BorrowInstructions& out) {
  auto found = owners_.find(node);
  if (found == owners_.end()) {
    return;
  }
  Owner& owner = found->second;
  int64_t now_ns = clock_->now_ns();
  for (auto& [id, open] : owner.open) {
    open.sent_ns = now_ns;
    ++counters_.retries;
    send(node, owner, id, open, out);
  }
  owner.retry_after_ns = options_.first_retry_ns;
  owner.retry_at_ns = now_ns + owner.retry_after_ns;
}

void BorrowClient::tick(BorrowInstructions& out) {
  int64_t now_ns = clock_->now_ns();
  for (auto& [node, owner] : owners_) {
    if (owner.open.empty() || now_ns < owner.retry_at_ns) {
      continue;
    }
    for (auto& [id, open] : owner.open) {
      if (now_ns - open.sent_ns >= owner.retry_after_ns) {
        open.sent_ns = now_ns;
        ++counters_.retries;
        send(node, owner, id, open, out);
      }
    }
    owner.retry_after_ns = std::min(owner.retry_after_ns * 2, options_.max_retry_ns);
    owner.retry_at_ns = now_ns + owner.retry_after_ns;
  }
}

std::optional<int64_t> BorrowClient::next_wake_ns() const {
  std::optional<int64_t> next;
  for (const auto& [node, owner] : owners_) {
    if (!owner.open.empty()) {
      next = std::min(next.value_or(owner.retry_at_ns), owner.retry_at_ns);
    }
  }
  return next;
}

}  // namespace sabir::node
