// Random clients, retries, reads, full disks, failing disks, takeovers and kills, against what exactly-once means:
// every request that was ever answered with success is in the tables once, every other one is not, and nobody ever saw
// what the disk has not.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <sstream>

#include "runtime/control/testing/manual_commit_queue.h"
#include "runtime/control/transactor.h"

namespace sabir::control {
namespace {

using testing::ManualCommitQueue;

constexpr uint32_t kClients = 4;

class World {
 public:
  explicit World(uint32_t seed) : random_(seed) { begin_life(); }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      switch (pick(12)) {
        case 0:
        case 1:
        case 2:
        case 3:
          send_new(pick(kClients));
          break;
        case 4:
        case 5:
          send_again(pick(kClients));
          break;
        case 6:
          send_read();
          break;
        case 7:
        case 8:
          queue_->step(1 + pick(4));
          break;
        case 9:
          clock_.advance_ns(static_cast<int64_t>(pick(60)) * kMillisecondNs);
          break;
        case 10:
          if (pick(4) == 0 && queue_->size() > 0) {
            faults_ += 1;
            queue_->step(1 + pick(3), pick(5) == 0 ? Error(ErrorKind::kSystem, "disk I/O error")
                                                   : exhausted_error("database or disk is full"));
          }
          break;
        case 11:
          if (pick(6) == 0) {
            kill();
          }
          break;
      }
      if (stopped_) {
        kill();
      }
      if (queue_->size() == 0) {
        ASSERT_EQ(staged_->tables(), medium_->tables);
      }
      if (::testing::Test::HasFatalFailure()) {
        return;
      }
    }
  }

  // Everybody gets an answer, and it is the truth.
  void finish() {
    if (stopped_) {
      kill();
    }
    queue_->step_all();
    for (int round = 0; round < 3; ++round) {
      clock_.advance_ns(kSecondNs * 10);
      for (uint32_t client = 0; client < kClients; ++client) {
        for (const auto& [id, outcome] : clients_[client].outcomes) {
          if (!outcome) {
            send(client, id);
          }
        }
      }
      queue_->step_all();
    }
    clock_.advance_ns(kSecondNs * 10);
    uint64_t last = clients_[0].next + (clients_[0].next % 11 == 0 || clients_[0].next % 13 == 0 ? 1 : 0);
    clients_[0].next = last + 1;
    send(0, last);
    queue_->step_all();
    EXPECT_EQ(clients_[0].outcomes[last]->substr(0, 3), "ok ") << "it goes on";
    uint64_t done = 0;
    for (uint32_t client = 0; client < kClients; ++client) {
      std::multiset<uint64_t> there = list_of(client);
      for (const auto& [id, outcome] : clients_[client].outcomes) {
        ASSERT_TRUE(outcome) << "client " << client << " request " << id;
        bool success = outcome->rfind("ok ", 0) == 0;
        EXPECT_EQ(there.count(id), success ? 1u : 0u) << "client " << client << " request " << id << ": " << *outcome;
        done += success ? 1 : 0;
      }
    }
    EXPECT_EQ(disk_sum(), done) << "no half changes";
    EXPECT_EQ(staged_->tables(), medium_->tables);
    EXPECT_EQ(unanswered_reads_, 0);
    successes_ = done;
  }

  uint64_t successes() const { return successes_; }
  int faults() const { return faults_; }
  int kills() const { return kills_; }

 private:
  struct Client {
    uint64_t next = 1;
    uint64_t lowest = 1;
    std::map<uint64_t, std::optional<std::string>> outcomes;  // of those it sent; none: unknown yet
    std::set<uint64_t> refused_in_earlier_life;
  };

  uint32_t pick(uint32_t below) { return static_cast<uint32_t>(random_() % below); }

  void begin_life() {
    disk_.emplace(medium_);
    staged_.emplace(disk_->epoch(), medium_->tables);
    store_.emplace(&*staged_);
    ASSERT_TRUE(store_->load().ok());
    queue_.emplace(&*disk_);
    Transactor::Hooks hooks;
    hooks.stopped = [this](const Error&) { stopped_ = true; };
    transactor_.emplace(&*store_, &*staged_, &*queue_, &clock_, hooks);
    stopped_ = false;
  }

  void kill() {
    ++kills_;
    ++life_;
    unanswered_reads_ = 0;
    for (Client& client : clients_) {
      for (const auto& [id, outcome] : client.outcomes) {
        if (outcome && outcome->rfind("ok ", 0) != 0) {
          client.refused_in_earlier_life.insert(id);
        }
      }
    }
    if (!stopped_) {
      queue_->write_without_answer(pick(4));
    }
    transactor_.reset();
    begin_life();
  }

  static std::string list_key(uint32_t client) { return "list" + std::to_string(client); }
  uint64_t disk_sum() {
    KeyValue values(&*disk_);
    return std::stoull(values.get("sum").value_or("0"));
  }
  std::multiset<uint64_t> list_of(uint32_t client) {
    KeyValue values(&*disk_);
    std::istringstream in(values.get(list_key(client)).value_or(""));
    return {std::istream_iterator<uint64_t>(in), {}};
  }

  // Two keys change together.
  Result<std::string> append(uint32_t client, uint64_t id) {
    KeyValue& values = store_->key_value();
    if (id % 11 == 0) {
      return invalid_error("refused by its nature");
    }
    uint64_t sum = std::stoull(values.get("sum").value_or("0")) + 1;
    std::string list = values.get(list_key(client)).value_or("") + std::to_string(id) + " ";
    SABIR_RETURN_IF_ERROR(values.put(list_key(client), list, true));
    if (id % 13 == 0) {
      return invalid_error("refused when half was written");
    }
    SABIR_RETURN_IF_ERROR(values.put("sum", std::to_string(sum), true));
    return "sum " + std::to_string(sum);
  }

  void send_new(uint32_t index) {
    Client& client = clients_[index];
    while (client.lowest < client.next && client.outcomes[client.lowest]) {
      ++client.lowest;
    }
    if (client.next - client.lowest < 30) {
      uint64_t id = client.next++;
      client.outcomes.emplace(id, std::nullopt);
      send(index, id);
    }
  }
  void send_again(uint32_t index) {
    if (clients_[index].next == 1) {
      return;
    }
    uint64_t id = 1 + pick(static_cast<uint32_t>(clients_[index].next) - 1);
    // Who was refused does not ask again, and a delayed message does not outlive the process that it was sent to.
    if (!clients_[index].refused_in_earlier_life.contains(id)) {
      send(index, id);
    }
  }
  void send(uint32_t index, uint64_t id) {
    bool old = id < clients_[index].lowest;
    RequestKey key{"client" + std::to_string(index), id, old ? id : clients_[index].lowest};
    transactor_->change(
        key, [this, index, id] { return append(index, id); },
        [this, index, id](Result<std::string> answer) {
          std::optional<std::string>& outcome = clients_[index].outcomes[id];
          std::string text = answer.ok() ? "ok " + *answer : answer.error().message();
          if (!answer.ok() && answer.error().kind() == ErrorKind::kDisconnected) {
            return;  // unknown
          }
          if (answer.ok()) {
            EXPECT_EQ(list_of(index).count(id), 1u) << "answered, and not on the disk";
          }
          if (!outcome) {
            outcome = text;
          } else if (text.find("was answered") == std::string::npos && outcome->rfind("ok ", 0) == 0) {
            EXPECT_EQ(*outcome, text) << "client " << index << " request " << id;
          } else if (outcome->rfind("ok ", 0) != 0) {
            EXPECT_FALSE(answer.ok()) << "client " << index << " request " << id << " ran after: " << *outcome;
          }
        });
  }
  void send_read() {
    uint64_t at_least = disk_sum();
    ++unanswered_reads_;
    transactor_->read([this]() -> Result<std::string> { return store_->key_value().get("sum").value_or("0"); },
                      [this, at_least, life = life_](Result<std::string> answer) {
                        unanswered_reads_ -= life == life_ ? 1 : 0;
                        if (answer.ok()) {
                          EXPECT_GE(std::stoull(*answer), at_least);
                          EXPECT_LE(std::stoull(*answer), disk_sum()) << "a read of what the disk has not";
                        }
                      });
  }

  std::mt19937 random_;
  ManualClock clock_;
  std::shared_ptr<MemoryStorage::Medium> medium_ = std::make_shared<MemoryStorage::Medium>();
  std::optional<MemoryStorage> disk_;
  std::optional<StagedStorage> staged_;
  std::optional<ControlStore> store_;
  std::optional<ManualCommitQueue> queue_;
  std::optional<Transactor> transactor_;
  Client clients_[kClients];
  bool stopped_ = false;
  int life_ = 0;
  int unanswered_reads_ = 0;
  int faults_ = 0;
  int kills_ = 0;
  uint64_t successes_ = 0;
};

TEST(TransactorModelTest, EachRequestRunsOnceWhateverHappens) {
  uint64_t successes = 0;
  int faults = 0;
  int kills = 0;
  for (uint32_t seed = 1; seed <= 120; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed);
    world.run(500);
    if (HasFatalFailure()) {
      return;
    }
    world.finish();
    successes += world.successes();
    faults += world.faults();
    kills += world.kills();
    if (HasFailure()) {
      return;
    }
  }
  EXPECT_GT(successes, 2'000u);
  EXPECT_GT(faults, 200);
  EXPECT_GT(kills, 200);
}

}  // namespace
}  // namespace sabir::control
