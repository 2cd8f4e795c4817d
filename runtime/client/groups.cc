#include "runtime/client/groups.h"

#include <algorithm>

#include "runtime/base/ids.h"
#include "runtime/client/client.h"
#include "runtime/client/progress.h"
#include "runtime/client/refs.h"
#include "runtime/client/relay.h"

namespace sabir::client {
namespace {

constexpr int64_t kTimeoutNs = 60 * kSecondNs;

}  // namespace

Result<std::string> group_id_of(std::string_view hex) {
  std::optional<IdBits> id = IdBits::from_hex(hex);
  if (!id) {
    return invalid_error("the id of a placement group is 32 hex digits, not \"" + std::string(hex) + "\"");
  }
  return std::string(id->view());
}

Result<std::string> Groups::create(const sabir_group_options& options) {
  rpc::GroupSpec spec;
  if (options.strategy > SABIR_GROUP_STRICT_SPREAD) {
    return invalid_error("no such strategy of placement groups: " + std::to_string(options.strategy));
  }
  if (options.bundle_count == 0 || options.bundles == nullptr) {
    return invalid_error("a placement group needs at least one bundle");
  }
  spec.id = IdBits::random().view();
  spec.name = to_string(options.name);
  spec.name_space = to_string(options.name_space);
  spec.detached = options.detached != 0;
  spec.strategy = static_cast<uint8_t>(options.strategy);
  for (size_t i = 0; i < options.bundle_count; ++i) {
    const sabir_bundle& given = options.bundles[i];
    auto at = [&](Error error) { return std::move(error).with_context("bundle " + std::to_string(i)); };
    Result<std::vector<rpc::ResourceAmount>> resources = convert_resources(given.resources, given.resource_count);
    if (!resources.ok()) {
      return at(std::move(resources).error());
    }
    Result<LabelConditions> labels = convert_labels(given.labels);
    if (!labels.ok()) {
      return at(std::move(labels).error());
    }
    spec.bundles.push_back({*std::move(resources), *std::move(labels)});
  }
  SABIR_RETURN_IF_ERROR(core_.self.session().create_group(spec, kTimeoutNs));
  return spec.id;
}

Result<Future*> Groups::ready(const std::string& id, Future* value) {
  Future* promise = nullptr;
  {
    Lock lock(core_.lock);
    uint64_t sequence = core_.refs->next_put_sequence();
    lock.unlock();
    promise = Relay(core_).promise(core_.self.uid(), sequence);
  }
  // Registered first: the notice may overtake the answer.
  {
    std::lock_guard guard(lock_);
    if (closed_) {
      release(promise);
      release(value);
      return closed_error("this client was shut down");
    }
    waiting_.emplace(id, Waiting{retain(promise), value});
  }
  Result<bool> watched = core_.self.session().watch_group(id, kTimeoutNs);
  if (watched.ok() && !*watched) {
    return promise;
  }
  {
    std::lock_guard guard(lock_);
    if (closed_) {
      release(promise);
      return closed_error("this client was shut down");
    }
    auto [from, to] = waiting_.equal_range(id);
    auto own = std::find_if(from, to, [&](const auto& one) { return one.second.promise == promise; });
    if (own == to) {
      return promise;  // a notice for another reference to the same group was for this one, too
    }
    waiting_.erase(own);
  }
  settle({promise, value}, watched.ok() ? Result<void>() : Result<void>(watched.error()));
  bool refused = !watched.ok() && watched.error().kind() != ErrorKind::kGroupRemoved;
  if (refused) {
    release(promise);
    return watched.error();
  }
  return promise;
}

void Groups::settle(const Waiting& waiting, const Result<void>& outcome) {
  Relay relay(core_);
  if (outcome.ok()) {
    relay.fulfil(waiting.promise, waiting.value);
  } else {
    relay.break_promise(waiting.promise, outcome.error().kind(), outcome.error().message());
    release(waiting.value);
  }
  release(waiting.promise);
}

Result<void> Groups::remove(const std::string& id) { return core_.self.session().remove_group(id, kTimeoutNs); }

Result<std::string> Groups::find(const rpc::GroupQuery& query) {
  return core_.self.session().find_groups(query, kTimeoutNs);
}

void Groups::on_notice(std::string id, Result<void> outcome) {
  {
    std::lock_guard guard(lock_);
    if (closed_) {
      return;
    }
    news_.emplace_back(std::move(id), std::move(outcome));
    news_waiting_.store(true, std::memory_order_seq_cst);
  }
  core_.progress->nudge_for_news();
}

void Groups::settle() {
  std::vector<std::pair<Waiting, Result<void>>> settled;
  {
    std::lock_guard guard(lock_);
    news_waiting_.store(false, std::memory_order_seq_cst);
    for (auto& [id, outcome] : news_) {
      auto [from, to] = waiting_.equal_range(id);
      for (auto at = from; at != to; ++at) {
        settled.emplace_back(at->second, outcome);
      }
      waiting_.erase(from, to);
    }
    news_.clear();
  }
  for (const auto& [waiting, outcome] : settled) {
    settle(waiting, outcome);
  }
}

void Groups::close() {
  std::multimap<std::string, Waiting> left;
  {
    std::lock_guard guard(lock_);
    closed_ = true;
    left.swap(waiting_);
    news_.clear();
  }
  for (const auto& [id, waiting] : left) {
    release(waiting.promise);
    release(waiting.value);
  }
}

}  // namespace sabir::client
