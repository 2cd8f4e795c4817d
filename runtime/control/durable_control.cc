#include "runtime/control/durable_control.h"

#include <utility>

namespace sabir::control {
namespace {

std::vector<std::string> all_topics(const std::vector<std::string>& more) {
  std::vector<std::string> topics = DurableControl::published_tables();
  topics.insert(topics.end(), more.begin(), more.end());
  return topics;
}

}  // namespace

const std::vector<std::string>& DurableControl::published_tables() {
  static const std::vector<std::string> kTables = {std::string(Nodes::kTable), std::string(Jobs::kTable),
                                                   std::string(ActorRegistry::kTable),
                                                   std::string(ControlStore::kPlacementGroupsTable)};
  return kTables;
}

Result<std::unique_ptr<DurableControl>> DurableControl::open(const Options& options, GroupCommit::Executor executor,
                                                             const Clock* clock, Hooks hooks) {
  SABIR_ASSIGN_OR_RETURN(std::unique_ptr<SqliteStorage> storage, SqliteStorage::open(options.storage));
  Tables tables;
  SABIR_RETURN_IF_ERROR(storage->scan_all([&](std::string_view table, std::string_view key, std::string_view value) {
    tables.apply(Batch().put(table, key, value));
  }));
  std::unique_ptr<DurableControl> control(new DurableControl(options, storage->epoch(), std::move(tables)));
  SABIR_RETURN_IF_ERROR(control->store_.load());
  for (const std::string& table : published_tables()) {
    SABIR_RETURN_IF_ERROR(control->staged_.scan(
        table, [&](std::string_view key, std::string_view value) { control->publisher_.set(table, key, value); }));
  }
  control->commits_ = std::make_unique<GroupCommit>(std::move(storage), std::move(executor), options.commits);
  Transactor::Hooks inner;
  inner.committed = [self = control.get()](const Batch& batch) { self->publish(batch); };
  inner.stopped = std::move(hooks.stopped);
  inner.taken_back = std::move(hooks.taken_back);
  control->transactor_ = std::make_unique<Transactor>(&control->store_, &control->staged_, control->commits_.get(),
                                                      clock, std::move(inner), options.requests);
  return control;
}

DurableControl::DurableControl(const Options& options, uint64_t epoch, Tables tables)
    : staged_(epoch, std::move(tables)), publisher_(epoch, all_topics(options.topics), options.publisher) {}

DurableControl::~DurableControl() {
  // Its answers are nobody's any more; what it accepted is written.
  transactor_.reset();
  commits_.reset();
}

void DurableControl::publish(const Batch& batch) {
  for (const Batch::Write& write : batch.writes()) {
    if (!publisher_.has(write.table)) {
      continue;
    }
    if (write.value) {
      publisher_.set(write.table, write.key, *write.value);
    } else {
      publisher_.erase(write.table, write.key);
    }
  }
}

}  // namespace sabir::control
