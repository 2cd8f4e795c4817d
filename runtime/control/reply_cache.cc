#include "runtime/control/reply_cache.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "runtime/control/record.h"

namespace sabir::control {
namespace {

constexpr std::string_view kTable = "replies";
constexpr std::string_view kLowestTable = "replies.lowest";
constexpr uint8_t kVersion = 1;
constexpr size_t kIdBytes = sizeof(uint64_t);

std::string row_key(const std::string& client, uint64_t id) { return client + number_key(id); }

Error too_many(std::string_view what, uint64_t limit) {
  return exhausted_error("the control store remembers too many " + std::string(what) + " (limit " +
                         std::to_string(limit) + ")");
}

}  // namespace

Result<void> ReplyCache::load() {
  for (auto& [name, client] : clients_) {
    client.replies.clear();
    client.stored_lowest = 0;
  }
  size_bytes_ = 0;
  bool good = true;
  SABIR_RETURN_IF_ERROR(storage_->scan(kTable, [&](std::string_view key, std::string_view value) {
    RecordReader in(value, kVersion);
    auto id = in.number<uint64_t>();
    std::string reply = in.text();
    good = good && in.done() && key.size() > kIdBytes && key.substr(key.size() - kIdBytes) == number_key(id);
    if (good) {
      size_bytes_ += reply.size();
      clients_[std::string(key.substr(0, key.size() - kIdBytes))].replies.emplace(id, std::move(reply));
    }
  }));
  SABIR_RETURN_IF_ERROR(storage_->scan(kLowestTable, [&](std::string_view key, std::string_view value) {
    RecordReader in(value, kVersion);
    Client& client = clients_[std::string(key)];
    client.stored_lowest = in.number<uint64_t>();
    client.lowest = std::max(client.lowest, client.stored_lowest);
    good = good && in.done();
  }));
  if (!good) {
    return internal_error("the stored replies cannot be read");
  }
  return {};
}

std::optional<Result<std::string>> ReplyCache::admit(const RequestKey& request) {
  if (request.client.empty() || request.client.size() > kMaxClientBytes || request.lowest_unanswered == 0 ||
      request.lowest_unanswered > request.id) {
    return invalid_error("a request needs a client, a number from 1 on, and a lowest unanswered number up to that");
  }
  if (request.id - request.lowest_unanswered >= kMaxOpen) {
    return exhausted_error("a client may have " + std::to_string(kMaxOpen) + " unanswered requests");
  }
  auto found = clients_.find(request.client);
  if (found == clients_.end()) {
    if (clients_.size() >= kMaxClients) {
      return too_many("clients", kMaxClients);
    }
    found = clients_.emplace(request.client, Client()).first;
  }
  Client& client = found->second;
  if (request.id < client.lowest) {
    return invalid_error("request " + std::to_string(request.id) + " was answered: its client said so, and names " +
                         std::to_string(client.lowest) + " as the lowest unanswered");
  }
  client.lowest = std::max(client.lowest, request.lowest_unanswered);
  client.refusals.erase(client.refusals.begin(), client.refusals.lower_bound(client.lowest));
  if (auto reply = client.replies.find(request.id); reply != client.replies.end()) {
    return reply->second;
  }
  if (auto refusal = client.refusals.find(request.id); refusal != client.refusals.end()) {
    return refusal->second;
  }
  if (size_bytes_ >= kMaxTotalBytes) {
    return too_many("bytes of replies", kMaxTotalBytes);
  }
  return std::nullopt;
}

Result<void> ReplyCache::record(const RequestKey& request, const std::string& reply) {
  if (reply.size() > kMaxReplyBytes) {
    return internal_error("a reply of " + std::to_string(reply.size()) + " bytes; the limit is " +
                          std::to_string(kMaxReplyBytes));
  }
  Client& client = clients_[request.client];
  Batch batch;
  batch.put(kTable, row_key(request.client, request.id), RecordWriter(kVersion).number(request.id).text(reply).take());
  auto answered = client.replies.lower_bound(client.lowest);
  for (auto old = client.replies.begin(); old != answered; ++old) {
    batch.erase(kTable, row_key(request.client, old->first));
  }
  if (client.stored_lowest != client.lowest) {
    batch.put(kLowestTable, request.client, RecordWriter(kVersion).number(client.lowest).take());
  }
  SABIR_RETURN_IF_ERROR(storage_->commit(batch));
  for (auto old = client.replies.begin(); old != answered; old = client.replies.erase(old)) {
    size_bytes_ -= old->second.size();
  }
  client.stored_lowest = client.lowest;
  size_bytes_ += reply.size();
  client.replies.emplace(request.id, reply);
  return {};
}

void ReplyCache::refuse(const RequestKey& request, Error error) {
  Client& client = clients_[request.client];
  if (request.id >= client.lowest) {
    client.refusals.insert_or_assign(request.id, std::move(error));
  }
}

Result<void> ReplyCache::forget(const std::string& client) {
  auto found = clients_.find(client);
  if (found == clients_.end()) {
    return {};
  }
  Batch batch;
  size_t bytes = 0;
  for (const auto& [id, reply] : found->second.replies) {
    batch.erase(kTable, row_key(client, id));
    bytes += reply.size();
  }
  batch.erase(kLowestTable, client);
  SABIR_RETURN_IF_ERROR(storage_->commit(batch));
  size_bytes_ -= bytes;
  clients_.erase(found);
  return {};
}

}  // namespace sabir::control
