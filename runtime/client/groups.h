// Placement groups as this process sees them: it makes and removes them, has a reference for "all bundles are there",
// and knows in which group it runs what it executes.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "runtime/abi/sabir.h"
#include "runtime/client/core.h"

namespace sabir::client {

class Future;

class Groups {
 public:
  explicit Groups(Core& core) : core_(core) {}

  // --- Without the client's lock. They ask the node. Ids have 16 bytes.
  Result<std::string> create(const sabir_group_options& options);
  // Ready, and then has the value of `value`, when all bundles are there. Takes its count.
  Result<Future*> ready(const std::string& id, Future* value);
  Result<void> remove(const std::string& id);
  // As JSON.
  Result<std::string> find(const rpc::GroupQuery& query);

  // On the control thread, which must not wait.
  void on_notice(std::string id, Result<void> outcome);
  // On the progress thread, without the lock: what on_notice() left.
  bool has_news() const { return news_waiting_.load(std::memory_order_seq_cst); }
  void settle();
  // Nothing is settled any more.
  void close();

 private:
  struct Waiting {
    Future* promise;
    Future* value;
  };
  using News = std::pair<std::string, Result<void>>;

  void settle(const Waiting& waiting, const Result<void>& outcome);

  Core& core_;
  std::mutex lock_;  // not held while the client's is taken
  bool closed_ = false;
  std::multimap<std::string, Waiting> waiting_;
  std::vector<News> news_;
  std::atomic<bool> news_waiting_{false};
};

// kInvalid: it is none in hex.
Result<std::string> group_id_of(std::string_view hex);

}  // namespace sabir::client
