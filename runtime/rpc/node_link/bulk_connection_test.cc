// Bulk connections with their threads, over sockets.
#include "runtime/rpc/node_link/bulk_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string.h>
#include <sys/socket.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>

#include "runtime/rpc/node_link/tls.h"

namespace sabir::node_link {
namespace {

constexpr size_t kMiB = 1 << 20;
constexpr std::chrono::seconds kLong(20);

// Results by name, for threads to set and the test to wait for.
class Outcomes {
 public:
  void set(const std::string& name, Result<void> result) {
    std::lock_guard lock(mutex_);
    EXPECT_FALSE(results_.contains(name)) << name << " ended twice";
    results_.insert_or_assign(name, std::move(result));
    changed_.notify_all();
  }
  std::function<void(Result<void>)> setter(const std::string& name) {
    return [this, name](Result<void> result) { set(name, std::move(result)); };
  }
  bool has(const std::string& name) {
    std::lock_guard lock(mutex_);
    return results_.contains(name);
  }
  Result<void> wait(const std::string& name) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kLong, [&] { return results_.contains(name); })) {
      return internal_error("no outcome of " + name);
    }
    return results_.at(name);
  }
  ErrorKind kind(const std::string& name) {
    Result<void> result = wait(name);
    EXPECT_FALSE(result.ok()) << name;
    return result.ok() ? ErrorKind::kInternal : result.error().kind();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Result<void>> results_;
};

std::vector<uint8_t> pattern(size_t size_bytes, uint32_t seed) {
  std::vector<uint8_t> bytes(size_bytes);
  for (uint32_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<uint8_t>((i + seed) * 2654435761u >> 24);
  }
  return bytes;
}

class BulkConnectionTest : public testing::TestWithParam<bool> {
 protected:
  BulkConnectionTest() {
    int fds[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
    if (GetParam()) {
      Identity identity = Identity::create().value();
      TlsContext tls = TlsContext::create(identity).value();
      wires_[0] = tls.dial(UniqueFd(fds[0]), identity.fingerprint());
      wires_[1] = tls.accept(UniqueFd(fds[1]));
      for (int i = 0; i < 10; ++i) {
        (void)wires_[i % 2]->handshake();
      }
    } else {
      wires_[0] = make_plain_wire(UniqueFd(fds[0]));
      wires_[1] = make_plain_wire(UniqueFd(fds[1]));
    }
  }

  void start(int side, BulkOptions options = {.checksum = true}) {
    connections_[side].emplace(std::move(wires_[side]), options, [this, side](Error why) {
      outcomes_.set(side == 0 ? "end of a" : "end of b", std::move(why));
    });
  }
  BulkConnection& a() { return *connections_[0]; }
  BulkConnection& b() { return *connections_[1]; }
  // As the peer that the test itself is.
  void say(const BulkHeader& header, size_t payload_bytes = 0) {
    BulkHeaderBytes bytes = encode_bulk_header(header);
    std::vector<uint8_t> frame(bytes.begin(), bytes.end());
    frame.resize(frame.size() + payload_bytes, 'x');
    write(frame);
  }
  void write(const std::vector<uint8_t>& frame) {
    size_t written = 0;
    while (written < frame.size()) {
      IoResult result = wires_[0]->write(std::span(frame).subspan(written));
      ASSERT_NE(result.status, IoStatus::kFailed);
      written += result.size_bytes;
    }
  }

  Outcomes outcomes_;
  std::unique_ptr<Wire> wires_[2];
  std::optional<BulkConnection> connections_[2];
};

TEST_P(BulkConnectionTest, ObjectsGoBothWaysAtOnce) {
  start(0);
  start(1);
  constexpr int kCount = 12;
  std::vector<std::vector<uint8_t>> sources, destinations;
  for (uint32_t i = 0; i < kCount; ++i) {
    sources.push_back(pattern(i == 0 ? 0 : i * 700'001, i));
    destinations.emplace_back(sources.back().size());
  }
  for (int i = 0; i < kCount; ++i) {
    BulkConnection& from = i % 2 == 0 ? a() : b();
    BulkConnection& to = i % 2 == 0 ? b() : a();
    uint64_t id = to.new_transfer_id();
    auto receive = [&, i] {
      to.receive({.transfer_id = id,
                  .destination = destinations[static_cast<size_t>(i)],
                  .on_end = outcomes_.setter("r" + std::to_string(i))});
    };
    if (i % 3 == 0) {
      receive();
    }
    from.send({.transfer_id = id,
               .source = sources[static_cast<size_t>(i)],
               .on_end = outcomes_.setter("s" + std::to_string(i))});
    if (i % 3 != 0) {
      receive();
    }
  }
  for (int i = 0; i < kCount; ++i) {
    EXPECT_TRUE(outcomes_.wait("s" + std::to_string(i)).ok());
    Result<void> received = outcomes_.wait("r" + std::to_string(i));
    EXPECT_TRUE(received.ok()) << received.error().to_string();
    EXPECT_TRUE(sources[static_cast<size_t>(i)] == destinations[static_cast<size_t>(i)]) << i;
  }
  EXPECT_GT(a().sent_bytes(), sources[10].size());
}

TEST_P(BulkConnectionTest, ManyThreadsUseOne) {
  start(0);
  start(1);
  constexpr int kThreads = 4, kEach = 40;
  std::vector<uint8_t> source = pattern(30'000, 5);
  std::vector<std::vector<uint8_t>> destinations(kThreads * kEach, std::vector<uint8_t>(source.size()));
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        int index = t * kEach + i;
        uint64_t id = b().new_transfer_id();
        a().send({.transfer_id = id, .source = source, .on_end = outcomes_.setter("s" + std::to_string(index))});
        b().receive({.transfer_id = id,
                     .destination = destinations[static_cast<size_t>(index)],
                     .on_end = outcomes_.setter("r" + std::to_string(index))});
        if (index % 10 == 9) {
          b().cancel_receive(id);
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (int index = 0; index < kThreads * kEach; ++index) {
    Result<void> sent = outcomes_.wait("s" + std::to_string(index));
    Result<void> received = outcomes_.wait("r" + std::to_string(index));
    if (received.ok()) {
      EXPECT_TRUE(sent.ok());
      EXPECT_TRUE(destinations[static_cast<size_t>(index)] == source);
    } else {
      EXPECT_EQ(received.error().kind(), ErrorKind::kCancelled);
      EXPECT_EQ(index % 10, 9);
    }
  }
}

TEST_P(BulkConnectionTest, RefusalsAndCancelsArrive) {
  start(0);
  start(1);
  std::vector<uint8_t> bytes(64 * kMiB);
  b().receive({.transfer_id = 1, .destination = bytes, .on_end = outcomes_.setter("refused")});
  a().refuse(1, Error(ErrorKind::kObjectLost, "gone"));
  EXPECT_EQ(outcomes_.kind("refused"), ErrorKind::kObjectLost);

  std::vector<uint8_t> source(64 * kMiB);
  b().receive({.transfer_id = 2,
               .destination = bytes,
               .on_end = outcomes_.setter("r2"),
               .on_progress = [this](uint64_t received) {
                 if (received == 3 * kMiB) {
                   a().cancel_send(2, cancelled_error("enough"));
                 }
               }});
  a().send({.transfer_id = 2, .source = source, .on_end = outcomes_.setter("s2")});
  EXPECT_EQ(outcomes_.kind("s2"), ErrorKind::kCancelled);
  EXPECT_EQ(outcomes_.kind("r2"), ErrorKind::kCancelled);

  b().receive({.transfer_id = 3,
               .destination = bytes,
               .on_end = outcomes_.setter("r3"),
               .on_progress = [this](uint64_t received) {
                 if (received == 3 * kMiB) {
                   b().cancel_receive(3);
                 }
               }});
  a().send({.transfer_id = 3, .source = source, .on_end = outcomes_.setter("s3")});
  EXPECT_EQ(outcomes_.kind("r3"), ErrorKind::kCancelled);
  EXPECT_EQ(outcomes_.kind("s3"), ErrorKind::kCancelled);

  std::vector<uint8_t> small(10), again(10);
  a().send({.transfer_id = 4, .source = small, .on_end = outcomes_.setter("s4")});
  b().receive({.transfer_id = 4, .destination = again, .on_end = outcomes_.setter("r4")});
  EXPECT_TRUE(outcomes_.wait("r4").ok()) << "the connection goes on";
  EXPECT_TRUE(outcomes_.wait("s4").ok());
}

// The end of a transfer is when its memory is somebody else's again, also in the middle of a frame.
TEST_P(BulkConnectionTest, NothingIsWrittenBehindTheEndOfATransfer) {
  start(1, {.checksum = false});
  std::vector<uint8_t> destination(kMiB), next(4);
  b().receive({.transfer_id = 1, .destination = destination, .on_end = outcomes_.setter("cancelled")});
  b().receive({.transfer_id = 2, .destination = next, .on_end = outcomes_.setter("next")});
  say({.type = BulkType::kData, .last = true, .size_bytes = kMiB, .transfer_id = 1, .total_bytes = kMiB}, 1000);
  while (b().received_bytes() < kBulkHeaderBytes + 1000) {
    std::this_thread::yield();
  }
  b().cancel_receive(1);
  EXPECT_EQ(outcomes_.kind("cancelled"), ErrorKind::kCancelled);
  std::fill(destination.begin(), destination.end(), 0xee);
  write(std::vector<uint8_t>(kMiB - 1000, 'x'));
  say({.type = BulkType::kData, .last = true, .size_bytes = 4, .transfer_id = 2, .total_bytes = 4}, 4);
  EXPECT_TRUE(outcomes_.wait("next").ok()) << "the connection goes on behind what was dropped";
  EXPECT_EQ(std::count(destination.begin(), destination.end(), 0xee), static_cast<ptrdiff_t>(destination.size()));
  EXPECT_FALSE(b().is_over());
}

TEST_P(BulkConnectionTest, DestroyingEndsAllOnBothSides) {
  start(0);
  start(1);
  std::vector<uint8_t> source(200 * kMiB), destination(200 * kMiB);
  std::mutex mutex;
  std::condition_variable changed;
  bool started = false;
  b().receive(
      {.transfer_id = 1, .destination = destination, .on_end = outcomes_.setter("r"), .on_progress = [&](uint64_t) {
         std::lock_guard lock(mutex);
         started = true;
         changed.notify_all();
       }});
  a().send({.transfer_id = 1, .source = source, .on_end = outcomes_.setter("s")});
  {
    std::unique_lock lock(mutex);
    ASSERT_TRUE(changed.wait_for(lock, kLong, [&] { return started; }));
  }
  connections_[0].reset();
  EXPECT_EQ(outcomes_.kind("s"), ErrorKind::kClosed);
  EXPECT_EQ(outcomes_.kind("r"), ErrorKind::kDisconnected);
  EXPECT_EQ(outcomes_.kind("end of b"), ErrorKind::kDisconnected);
  EXPECT_FALSE(outcomes_.has("end of a"));
  EXPECT_TRUE(b().is_over());
  b().receive({.transfer_id = 2, .destination = destination, .on_end = outcomes_.setter("late")});
  b().send({.transfer_id = 2, .source = source, .on_end = outcomes_.setter("late too")});
  EXPECT_EQ(outcomes_.kind("late"), ErrorKind::kDisconnected);
  EXPECT_EQ(outcomes_.kind("late too"), ErrorKind::kDisconnected);
}

TEST_P(BulkConnectionTest, APeerThatBreaksTheProtocolLosesTheConnection) {
  start(1);
  std::vector<uint8_t> destination(kMiB);
  b().receive({.transfer_id = 1, .destination = destination, .on_end = outcomes_.setter("r")});
  say({.type = BulkType::kData, .size_bytes = 5, .transfer_id = 2, .total_bytes = 10}, 5);
  EXPECT_EQ(outcomes_.kind("r"), ErrorKind::kInvalid);
  EXPECT_EQ(outcomes_.kind("end of b"), ErrorKind::kInvalid);
}

TEST_P(BulkConnectionTest, APeerThatStopsInsideAFrameIsGivenUp) {
  start(1, {.progress_timeout_ns = kSecondNs / 2});
  std::vector<uint8_t> destination(kMiB);
  b().receive({.transfer_id = 1, .destination = destination, .on_end = outcomes_.setter("r")});
  say({.type = BulkType::kData, .last = true, .size_bytes = kMiB, .transfer_id = 1, .total_bytes = kMiB}, 1000);
  Result<void> end = outcomes_.wait("r");
  ASSERT_FALSE(end.ok());
  EXPECT_TRUE(end.error().kind() == ErrorKind::kDisconnected || end.error().kind() == ErrorKind::kTimeout);
  EXPECT_EQ(outcomes_.kind("end of b"), ErrorKind::kDisconnected);
}

TEST_P(BulkConnectionTest, APeerThatDoesNotReadIsGivenUp) {
  start(1, {.progress_timeout_ns = kSecondNs / 2});
  std::vector<uint8_t> source(64 * kMiB);
  b().send({.transfer_id = 1, .source = source, .on_end = outcomes_.setter("s")});
  say({.type = BulkType::kCredit, .first = true, .transfer_id = 1, .offset = source.size()});
  EXPECT_EQ(outcomes_.kind("s"), ErrorKind::kDisconnected);
  EXPECT_EQ(outcomes_.kind("end of b"), ErrorKind::kDisconnected);
}

TEST_P(BulkConnectionTest, ATransferThatNobodySendsTimesOutAlone) {
  start(0, {.progress_timeout_ns = kSecondNs / 2});
  start(1, {.progress_timeout_ns = kSecondNs / 2});
  std::vector<uint8_t> bytes(10), other(10);
  b().receive({.transfer_id = 1, .destination = bytes, .on_end = outcomes_.setter("r1")});
  EXPECT_EQ(outcomes_.kind("r1"), ErrorKind::kTimeout);
  a().send({.transfer_id = 2, .source = other, .on_end = outcomes_.setter("s2")});
  b().receive({.transfer_id = 2, .destination = bytes, .on_end = outcomes_.setter("r2")});
  EXPECT_TRUE(outcomes_.wait("r2").ok());
  EXPECT_TRUE(outcomes_.wait("s2").ok());
}

INSTANTIATE_TEST_SUITE_P(Wires, BulkConnectionTest, testing::Bool(),
                         [](const auto& wire) { return wire.param ? "Tls" : "Plain"; });

}  // namespace
}  // namespace sabir::node_link
