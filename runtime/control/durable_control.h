// The control store of a cluster, put together: tables in memory, the requests that change them, what is told to
// subscribers, and a file that has it all. Killed at any instant and opened again, it is where it was with the last
// answer.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/result.h"
#include "runtime/control/control_store.h"
#include "runtime/control/group_commit.h"
#include "runtime/control/publisher.h"
#include "runtime/control/sqlite_storage.h"
#include "runtime/control/staged_storage.h"
#include "runtime/control/transactor.h"

namespace sabir::control {

// One thread: the owner's, which the executor posts to.
class DurableControl {
 public:
  struct Options {
    SqliteStorage::Options storage;
    GroupCommit::Options commits;
    Transactor::Options requests;
    Publisher::Options publisher;
    // Topics beside the published tables; nothing of them is stored.
    std::vector<std::string> topics;
  };

  // Tables whose rows are published as they are, under the table's name and the row's key: those of Nodes, Jobs and
  // ActorRegistry, whose decode() reads them, and of placement groups.
  static const std::vector<std::string>& published_tables();

  struct Hooks {
    // Both: see Transactor::Hooks.
    std::function<void(const Error&)> stopped;
    std::function<void()> taken_back;
  };

  // Reads the file, and takes over from whoever had it open. Errors as
  // SqliteStorage::open; kInternal: what is stored cannot be read.
  static Result<std::unique_ptr<DurableControl>> open(const Options& options, GroupCommit::Executor executor,
                                                      const Clock* clock, Hooks hooks);
  // Writes what is under way.
  ~DurableControl();

  uint64_t epoch() const { return staged_.epoch(); }
  // To be read and changed within requests().
  ControlStore& tables() { return store_; }
  Transactor& requests() { return *transactor_; }
  Publisher& publisher() { return publisher_; }

 private:
  DurableControl(const Options& options, uint64_t epoch, Tables tables);
  void publish(const Batch& batch);

  StagedStorage staged_;
  ControlStore store_{&staged_};
  Publisher publisher_;
  std::unique_ptr<GroupCommit> commits_;
  std::unique_ptr<Transactor> transactor_;
};

}  // namespace sabir::control
