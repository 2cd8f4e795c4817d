// What clients were answered, so that a request that comes again gets the first answer and is not run again.
//
// A client numbers its requests from 1 and says with each which of them is the lowest that it has no answer to: answers
// below that are forgotten. A request that got an answer, be it a refusal, never runs again: who wants to try once more
// takes a new number. Answers of changes are stored with the change, in one batch. Refusals changed nothing and are
// remembered in memory alone: a retry after a restart may run, since nobody has an answer to it yet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "runtime/base/result.h"
#include "runtime/control/storage.h"

namespace sabir::control {

struct RequestKey {
  std::string client;
  uint64_t id = 0;                 // from 1
  uint64_t lowest_unanswered = 0;  // at most `id`
};

class ReplyCache {
 public:
  static constexpr uint64_t kMaxOpen = 1'024;  // of a client: `id` is less than that above the lowest unanswered
  static constexpr size_t kMaxClientBytes = 64;
  static constexpr size_t kMaxClients = 1 << 16;
  static constexpr size_t kMaxReplyBytes = 64 << 10;
  static constexpr size_t kMaxTotalBytes = 256 << 20;

  explicit ReplyCache(Storage* storage) : storage_(storage) {}
  // What clients said and what they were refused in this life stays.
  Result<void> load();

  // Nothing: it is to be run, then record() or refuse() with the same request. Else its answer: the first one's, or
  // kInvalid: malformed, or answered and forgotten; kExhausted: too many open requests, clients or bytes.
  std::optional<Result<std::string>> admit(const RequestKey& request);
  // In the batch of the change. kInternal: larger than kMaxReplyBytes.
  Result<void> record(const RequestKey& request, const std::string& reply);
  void refuse(const RequestKey& request, Error error);
  // The client will send nothing more: whoever let it in refuses it from now on.
  Result<void> forget(const std::string& client);

  size_t client_count() const { return clients_.size(); }
  size_t size_bytes() const { return size_bytes_; }

 private:
  struct Client {
    uint64_t lowest = 1;         // that it named
    uint64_t stored_lowest = 0;  // as in the storage
    std::map<uint64_t, std::string> replies;
    std::map<uint64_t, Error> refusals;
  };

  Storage* const storage_;
  std::map<std::string, Client> clients_;
  size_t size_bytes_ = 0;  // of all replies
};

}  // namespace sabir::control
