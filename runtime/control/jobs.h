// The jobs of a session, or of a cluster: one per driver. Numbers are never used twice.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/control/node_ref.h"
#include "runtime/control/storage.h"

namespace sabir::control {

struct JobRecord {
  uint32_t number = 0;  // from 1
  std::string id;       // 16 bytes, by the caller; makes add() idempotent
  std::string name;
  std::string name_space;  // never empty once added: the id in hex if the driver gave none
  uint32_t driver_pid = 0;
  bool running = true;
  NodeRef node;  // where its driver has joined; none: the session has one machine
  // Milliseconds since 1970; 0: not known, or not ended.
  int64_t started_unix_ms = 0;
  int64_t ended_unix_ms = 0;
  std::string end;  // how it ended, for people
  bool operator==(const JobRecord&) const = default;
};

class Jobs {
 public:
  static constexpr std::string_view kTable = "jobs";
  // At most so many running jobs, and so many ended ones remembered, oldest forgotten first.
  static constexpr size_t kMaxRunning = 1024;
  static constexpr size_t kMaxEnded = 256;

  explicit Jobs(Storage* storage) : storage_(storage) {}
  Result<void> load();
  // Of a row of the table. kInternal: it cannot be read.
  static Result<JobRecord> decode(std::string_view bytes);

  // The number is given here. The same id again: the same job. kExhausted: kMaxRunning.
  Result<uint32_t> add(JobRecord job);
  Result<void> end(uint32_t number, int64_t ended_unix_ms = 0, const std::string& how = {});  // of an ended one: fine
  const JobRecord* find(uint32_t number) const;
  const JobRecord* find_id(std::string_view id) const;
  std::vector<const JobRecord*> all() const;
  std::vector<const JobRecord*> running_on(const NodeRef& node) const;

 private:
  Storage* const storage_;
  std::map<uint32_t, JobRecord> jobs_;
  uint32_t last_number_ = 0;
};

}  // namespace sabir::control
