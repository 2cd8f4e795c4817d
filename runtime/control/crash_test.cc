// A control store under load is killed at random instants, opened again and looked at: what was answered is there, with
// the same answer; what was not is there as a whole, with its reply, or not at all; nothing happened twice.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <set>

#include "runtime/base/clock.h"
#include "runtime/base/fd.h"
#include "runtime/control/durable_control.h"
#include "runtime/control/testing/owner_thread.h"
#include "runtime/control/testing/store_folder.h"

namespace sabir::control {
namespace {

using testing::OwnerThread;
using testing::StoreFolder;

constexpr uint32_t kClients = 4;
constexpr uint32_t kOpenRequests = 8;  // of each
constexpr uint64_t kKept = 200;        // marks of a client
constexpr int kKills = 200;

struct Client {
  uint64_t next = 1;
  std::set<uint64_t> unanswered;
  std::map<uint64_t, std::string> answers;
  uint64_t lowest() const { return unanswered.empty() ? next : *unanswered.begin(); }
};
using Clients = std::array<Client, kClients>;

std::string name_of(uint32_t client) { return "client" + std::to_string(client); }
std::string count_key(uint32_t client) { return "count/" + name_of(client); }
std::string mark_key(uint32_t client, uint64_t id) { return "mark/" + name_of(client) + "/" + std::to_string(id); }

// What the child tells before and after: one write each, so that a kill cuts none of them.
struct Note {
  char kind = 0;  // 'S'ent, 'A'nswered, 'E'rror
  uint32_t client = 0;
  uint64_t id = 0;
  std::array<char, 80> text = {};
};

// --- The process that is killed

class Child {
 public:
  Child(Clients clients, const SqliteStorage::Options& storage, int notes, uint32_t seed)
      : clients_(std::move(clients)), notes_(notes), random_(seed) {
    DurableControl::Options options;
    options.storage = storage;
    Result<std::unique_ptr<DurableControl>> opened =
        DurableControl::open(options, owner_.executor(), &clock_, {[this](const Error& error) { fail(error); }, {}});
    if (!opened.ok()) {
      fail(opened.error());
    }
    control_ = std::move(*opened);
  }

  [[noreturn]] void run() {
    for (uint32_t client = 0; client < kClients; ++client) {
      std::set<uint64_t> unanswered = clients_[client].unanswered;
      for (uint64_t id : unanswered) {
        send(client, id);
      }
      send_new(client);
    }
    owner_.run_until([] { return false; });
    ::_exit(1);
  }

 private:
  void note(char kind, uint32_t client, uint64_t id, const std::string& text) {
    Note note{kind, client, id, {}};
    std::strncpy(note.text.data(), text.c_str(), note.text.size() - 1);
    if (::write(notes_, &note, sizeof(note)) != sizeof(note)) {
      ::_exit(2);
    }
  }
  [[noreturn]] void fail(const Error& error) {
    note('E', 0, 0, error.to_string());
    ::_exit(3);
  }

  void send_new(uint32_t client) {
    Client& one = clients_[client];
    while (one.unanswered.size() < kOpenRequests && one.next - one.lowest() < 60) {
      uint64_t id = one.next++;
      one.unanswered.insert(id);
      send(client, id);
      if (random_() % 8 == 0) {
        send(client, id);
      }
    }
  }
  void send(uint32_t client, uint64_t id) {
    note('S', client, id, "");
    control_->requests().change(
        {name_of(client), id, clients_[client].lowest()}, [this, client, id] { return change(client, id); },
        [this, client, id](Result<std::string> answer) {
          if (!answer.ok()) {
            fail(std::move(answer).error());
          }
          note('A', client, id, *answer);
          clients_[client].unanswered.erase(id);
          send_new(client);
        });
  }

  // Several rows of several tables.
  Result<std::string> change(uint32_t client, uint64_t id) {
    KeyValue& values = control_->tables().key_value();
    std::string count = std::to_string(std::stoull(values.get(count_key(client)).value_or("0")) + 1);
    SABIR_ASSIGN_OR_RETURN(bool first, values.put(mark_key(client, id), count, false));
    if (!first) {
      SABIR_RETURN_IF_ERROR(values.put("twice", mark_key(client, id), true));
    }
    if (id > kKept) {
      SABIR_RETURN_IF_ERROR(values.erase(mark_key(client, id - kKept)));
    }
    if (id % 5 == 0) {
      JobRecord job;
      job.id = mark_key(client, id);
      SABIR_ASSIGN_OR_RETURN(uint32_t number, control_->tables().jobs().add(job));
      SABIR_RETURN_IF_ERROR(control_->tables().jobs().end(number));
    }
    SABIR_RETURN_IF_ERROR(values.put(count_key(client), count, true));
    return name_of(client) + "/" + std::to_string(id) + " was change " + count;
  }

  Clients clients_;
  const int notes_;
  std::mt19937 random_;
  OwnerThread owner_;
  SteadyClock clock_;
  std::unique_ptr<DurableControl> control_;
};

// --- The test's own process

class CrashTest : public ::testing::Test {
 protected:
  // One life of the store.
  void live_and_die(uint32_t seed, const SqliteStorage::Options& storage, int64_t life_us) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    UniqueFd reader(ends[0]);
    UniqueFd writer(ends[1]);
    ::fcntl(writer.get(), F_SETPIPE_SZ, 1 << 20);
    pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::signal(SIGPIPE, SIG_DFL);
      Child(clients_, storage, writer.get(), seed).run();
    }
    writer.reset();
    // The pipe holds what it says meanwhile.
    ::usleep(static_cast<useconds_t>(life_us));
    ::kill(child, SIGKILL);
    hear(reader.get());
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "ended by itself: " << status;
  }

  void hear(int fd) {
    Note note;
    while (true) {
      ssize_t size = ::read(fd, &note, sizeof(note));
      if (size == 0) {
        return;
      }
      ASSERT_EQ(size, static_cast<ssize_t>(sizeof(note)));
      ASSERT_NE(note.kind, 'E') << note.text.data();
      Client& client = clients_[note.client];
      if (note.kind == 'S' && note.id >= client.next) {
        client.unanswered.insert(note.id);
        client.next = note.id + 1;
      }
      if (note.kind == 'A') {
        ++answered_;
        client.unanswered.erase(note.id);
        auto [known, is_new] = client.answers.emplace(note.id, note.text.data());
        EXPECT_EQ(known->second, note.text.data()) << "a retry was answered otherwise";
      }
    }
  }

  void look(const SqliteStorage::Options& options) {
    Result<std::unique_ptr<SqliteStorage>> storage = SqliteStorage::open(options);
    ASSERT_TRUE(storage.ok()) << storage.error().message();
    ControlStore store(storage->get());
    ASSERT_TRUE(store.load().ok());
    EXPECT_FALSE(store.key_value().get("twice").ok()) << *store.key_value().get("twice");
    for (uint32_t index = 0; index < kClients; ++index) {
      look_at_client(store, index);
    }
  }

  void look_at_client(ControlStore& store, uint32_t index) {
    Client& client = clients_[index];
    auto is_there = [&](uint64_t id) { return store.key_value().get(mark_key(index, id)).ok(); };
    uint64_t oldest_kept = client.next > kKept ? client.next - kKept : 0;
    // From the oldest on: each request says that those before it are answered, as far as they are.
    for (auto answer = client.answers.upper_bound(oldest_kept); answer != client.answers.end(); ++answer) {
      const auto& [id, text] = *answer;
      EXPECT_TRUE(is_there(id)) << "lost: " << text;
      std::optional<Result<std::string>> reply =
          store.replies().admit({name_of(index), id, std::min(id, client.lowest())});
      ASSERT_TRUE(reply) << "it would run again: " << text;
      if (reply->ok()) {
        EXPECT_EQ(**reply, text);
        ++same_answers_;
      } else {
        EXPECT_EQ(reply->error().kind(), ErrorKind::kInvalid);
        EXPECT_LT(id, client.lowest());
      }
    }
    uint64_t done = client.answers.size();
    for (uint64_t id : client.unanswered) {
      std::optional<Result<std::string>> reply = store.replies().admit({name_of(index), id, client.lowest()});
      ASSERT_EQ(reply.has_value(), is_there(id)) << "half of " << mark_key(index, id);
      done += reply ? 1 : 0;
      in_flight_done_ += reply ? 1 : 0;
      in_flight_ += 1;
      if (reply) {
        ASSERT_TRUE(reply->ok()) << reply->error().message();
        EXPECT_EQ((*reply)->find(name_of(index) + "/" + std::to_string(id) + " was"), 0u) << **reply;
      }
    }
    EXPECT_EQ(store.key_value().get(count_key(index)).value_or("0"), std::to_string(done)) << name_of(index);
  }

  StoreFolder folder_;
  Clients clients_;
  uint64_t answered_ = 0;
  uint64_t in_flight_ = 0;
  uint64_t in_flight_done_ = 0;
  uint64_t same_answers_ = 0;
};

TEST_F(CrashTest, NoKillLosesWhatWasAnsweredOrLeavesHalfOfWhatWasNot) {
  uint32_t seed = 1;
  if (const char* given = std::getenv("SABIR_CRASH_SEED")) {
    seed = static_cast<uint32_t>(std::atoi(given));
  }
  std::mt19937 random(seed);
  int64_t began_ns = SteadyClock().now_ns();
  int kills = 0;
  for (; kills < kKills; ++kills) {
    SCOPED_TRACE("seed " + std::to_string(seed) + " kill " + std::to_string(kills));
    SqliteStorage::Options options = folder_.options();
    options.must_exist = kills > 20;
    options.durable = random() % 4 == 0;
    options.checkpoint_pages = random() % 2 == 0 ? 30 : 1'000;
    // Now and then while it still opens.
    live_and_die(random(), options, static_cast<int64_t>(random() % 50'000));
    if (HasFatalFailure()) {
      return;
    }
    look(options);
    if (HasFailure()) {
      return;
    }
  }
  std::printf("%d kills in %.1f s: %llu answers, %llu requests in flight at a kill, %llu of them done\n", kills,
              static_cast<double>(SteadyClock().now_ns() - began_ns) / 1e9, static_cast<unsigned long long>(answered_),
              static_cast<unsigned long long>(in_flight_), static_cast<unsigned long long>(in_flight_done_));
  EXPECT_GT(answered_, 1'000u);
  EXPECT_GT(in_flight_done_, 10u) << "written, and killed before the answer";
  EXPECT_GT(in_flight_, in_flight_done_ + 10) << "killed before it was written";
  EXPECT_GT(same_answers_, 100u);
}

}  // namespace
}  // namespace sabir::control
