#include "runtime/store/object_writer.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <random>
#include <thread>

#include "runtime/shm/limits.h"
#include "runtime/store/store_fixture.h"

namespace sabir::store {
namespace {

constexpr ProcessId kProcess = {1, 1};
constexpr uint64_t kCapacityBytes = 64 * kMiB;

// sabird's side of one process, without sabird: loans come from a real ledger, the ring is read at once.
class FakeNode final : public LoanSource, public RingSink {
 public:
  FakeNode() : store_(kCapacityBytes) {
    fd_ = shm::create_memfd("object_writer_test", segment_bytes_for(kCapacityBytes + kMiB)).value();
    EXPECT_TRUE(shm::seal_memfd(fd_.get(), false).ok());
    shm::EntryIndex first = store_.lend_batch(kProcess);
    for (uint32_t i = 0; i < shm::kEntriesPerBatch; ++i) {
      entries_.push_back({1, first + i});
    }
    store_.out.clear();
  }

  Result<Loan> loan(uint64_t size_bytes, int64_t /*wait_ns*/) override {
    std::lock_guard lock(lock_);
    requests_ += 1;
    Instructions out;
    store_.loans.request(++store_.ticket, kProcess, size_bytes, 0, out);
    if (only<GrantLoan>(out).empty() && only<RefuseLoan>(out).empty()) {
      store_.clock.advance_ns(kSecondNs);
      store_.loans.tick(out);
    }
    for (const RefuseLoan& refuse : only<RefuseLoan>(out)) {
      return refuse.error;
    }
    GrantLoan grant = only<GrantLoan>(out).at(0);
    return Loan{grant.offset, grant.size_bytes, grant.reused};
  }

  void give_back(uint64_t offset) override {
    std::lock_guard lock(lock_);
    // kInvalid when the loan went to another thread meanwhile and is gone: harmless.
    Result<void> result = store_.loans.give_back(kProcess, offset, store_.out);
    EXPECT_TRUE(result.ok() || result.error().kind() == ErrorKind::kInvalid);
  }

  Result<void> write(const shm::RingMessage& message) override {
    std::lock_guard lock(lock_);
    if (ring_broken) {
      return disconnected_error("no ring");
    }
    store_.round(kProcess, {message});
    EXPECT_TRUE(only<Violation>(store_.out).empty()) << only<Violation>(store_.out)[0].text;
    for (const WriteEntry& entry : store_.take<WriteEntry>()) {
      entries_.push_back({entry.word.generation, entry.entry});
    }
    return {};
  }

  shm::EntryRef take_entry() {
    std::lock_guard lock(lock_);
    shm::EntryRef entry = entries_.back();
    entries_.pop_back();
    return entry;
  }
  void release(shm::EntryRef entry) {
    EXPECT_TRUE(write(shm::RingMessage::release(entry)).ok());
    std::lock_guard lock(lock_);
    store_.settle();
    for (const WriteEntry& free : store_.take<WriteEntry>()) {
      entries_.push_back({free.word.generation, free.entry});
    }
  }
  LoanLedger::Usage usage() {
    std::lock_guard lock(lock_);
    return store_.loans.usage();
  }
  int fd() const { return fd_.get(); }
  uint64_t requests() const { return requests_; }
  Store& store() { return store_; }

  std::atomic<bool> ring_broken = false;

 private:
  std::mutex lock_;
  Store store_;
  UniqueFd fd_;
  std::vector<shm::EntryRef> entries_;
  uint64_t requests_ = 0;
};

class ObjectWriterTest : public testing::Test {
 protected:
  ObjectWriterTest() : view_(ObjectsView::map(node_.fd()).value()) { make_writer({}); }
  ~ObjectWriterTest() override {
    EXPECT_EQ(node_.store().own.check_invariants(), "");
    writer_->collect();
    EXPECT_TRUE(node_.usage().objects > 0 || node_.usage().used_bytes == 0);
  }

  void make_writer(ObjectWriter::Options options) {
    writer_ = std::make_unique<ObjectWriter>(node_.fd(), node_, node_, options);
  }
  Placement create(uint64_t size_bytes, bool in_place = false) {
    return writer_->create(size_bytes, {.wait_ns = 0, .in_place = in_place}).value();
  }
  shm::EntryRef seal(Placement placement, uint8_t fill) {
    std::memset(placement.data(), fill, placement.size_bytes());
    uint64_t offset = placement.offset();
    uint64_t size_bytes = placement.size_bytes();
    shm::EntryRef entry = node_.take_entry();
    EXPECT_TRUE(writer_->seal(std::move(placement), entry).ok());
    std::span<const uint8_t> bytes = view_.view(offset, size_bytes).value();
    EXPECT_EQ(bytes.front(), fill);
    EXPECT_EQ(bytes.back(), fill);
    return entry;
  }
  // Whether anything is mapped at the address: the kernel tells without a crash.
  static bool is_mapped(const uint8_t* address) {
    int fds[2];
    EXPECT_EQ(pipe(fds), 0);
    bool readable = ::write(fds[1], address, 1) == 1;
    close(fds[0]);
    close(fds[1]);
    return readable;
  }

  FakeNode node_;
  ObjectsView view_;
  std::unique_ptr<ObjectWriter> writer_;
};

TEST_F(ObjectWriterTest, SmallObjectsShareALoanAndLargeOnesHaveTheirOwn) {
  Placement first = create(100 << 10);
  Placement second = create((100 << 10) + 1);
  Placement third = create(64);
  EXPECT_EQ(node_.requests(), 1U);
  EXPECT_EQ(second.offset(), first.offset() + (100 << 10));
  EXPECT_EQ(third.offset() % kObjectAlignment, 0U);
  Placement large = create(shm::kOwnLoanBytes);
  EXPECT_EQ(node_.requests(), 2U);
  for (Placement* placement : {&third, &first, &large, &second}) {  // in any order
    seal(std::move(*placement), 1);
  }
  EXPECT_EQ(node_.usage().objects, 4U);
  EXPECT_EQ(node_.usage().used_bytes, shm::kSharedLoanBytes + shm::kOwnLoanBytes);
}

TEST_F(ObjectWriterTest, FullSharedLoansAreClosedAndUsedAgain) {
  std::vector<shm::EntryRef> entries;
  for (int i = 0; i < 100; ++i) {
    entries.push_back(seal(create(512 << 10), 1));
    if (entries.size() == 10) {
      for (shm::EntryRef entry : entries) {
        node_.release(entry);
      }
      entries.clear();
    }
  }
  EXPECT_LE(node_.usage().used_bytes, 3 * shm::kSharedLoanBytes);
}

// O1: no mapping per object: the alias of a loan that comes back still stands.
TEST_F(ObjectWriterTest, AReusedLoanKeepsItsAlias) {
  Placement first = create(8 * kMiB);
  const uint8_t* address = first.data();
  shm::EntryRef entry = seal(std::move(first), 1);
  node_.release(entry);
  Placement second = create(7 * kMiB);
  EXPECT_EQ(second.data(), address);
  seal(std::move(second), 2);
  EXPECT_EQ(node_.usage().loans, 1U);
}

TEST_F(ObjectWriterTest, RoomOfWhatIsNeverSealedComesBack) {
  uint64_t small_offset = create(1000).offset();
  EXPECT_EQ(create(1000).offset(), small_offset);
  uint64_t large_offset = create(2 * kMiB).offset();
  EXPECT_EQ(create(2 * kMiB).offset(), large_offset);
  EXPECT_EQ(node_.usage().objects, 0U);
}

TEST_F(ObjectWriterTest, InPlaceObjectsArePageAlignedAndOutOfReachOnceSealed) {
  for (uint64_t size_bytes : {uint64_t{100}, uint64_t{70000}, 3 * kMiB}) {
    seal(create(100), 3);
    Placement placement = create(size_bytes, true);
    const uint8_t* address = placement.data();
    EXPECT_EQ(reinterpret_cast<uintptr_t>(address) % shm::kPageBytes, 0U);
    EXPECT_TRUE(is_mapped(address));
    seal(std::move(placement), 4);
    EXPECT_FALSE(is_mapped(address));
    if (size_bytes < shm::kOwnLoanBytes) {
      Placement next = create(100);
      EXPECT_EQ(next.offset() % shm::kPageBytes, 0U) << "shares no page with it";
      seal(std::move(next), 5);
    }
  }
}

TEST_F(ObjectWriterTest, TheDebugModeUnmapsAtEverySeal) {
  make_writer({.unmap_at_seal = true});
  Placement small = create(1000);
  Placement large = create(2 * kMiB);
  const uint8_t* small_address = small.data();
  const uint8_t* large_address = large.data();
  seal(std::move(small), 1);
  seal(std::move(large), 2);
  EXPECT_FALSE(is_mapped(small_address));
  EXPECT_FALSE(is_mapped(large_address));
}

TEST_F(ObjectWriterTest, CollectGivesBackEverythingThatIsNotInUse) {
  shm::EntryRef large = seal(create(2 * kMiB), 1);
  shm::EntryRef dead = seal(create(3 * kMiB), 1);
  node_.release(dead);
  Placement under_way = create(5 * kMiB);
  Placement small = create(1000);
  writer_->collect();
  EXPECT_EQ(node_.usage().used_bytes, (2 + 5 + 4) * kMiB);
  EXPECT_EQ(node_.usage().idle_bytes, 0U);
  seal(std::move(under_way), 2);
  { Placement gone = std::move(small); }
  EXPECT_EQ(node_.usage().used_bytes, (2 + 5) * kMiB);
  node_.release(large);
  EXPECT_EQ(node_.usage().used_bytes, 5 * kMiB) << "its alias is gone: not kept for reuse";
  EXPECT_EQ(writer_->loan_bytes(), 0U);
}

TEST_F(ObjectWriterTest, AFullStoreStillTakesWhatFitsExactly) {
  std::vector<Placement> large;
  large.push_back(create(kCapacityBytes - kMiB));
  Placement small = create(200 << 10);
  seal(std::move(small), 1);
  Result<Placement> refused = writer_->create(2 * kMiB, {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind(), ErrorKind::kStoreFull);
  EXPECT_EQ(writer_->create(0, {}).error().kind(), ErrorKind::kInvalid);
}

TEST_F(ObjectWriterTest, ASealThatTheRingRefusesAnnouncesNothing) {
  Placement small = create(1000);
  Placement large = create(2 * kMiB);
  node_.ring_broken = true;
  EXPECT_EQ(writer_->seal(std::move(small), node_.take_entry()).error().kind(), ErrorKind::kDisconnected);
  EXPECT_EQ(writer_->seal(std::move(large), node_.take_entry()).error().kind(), ErrorKind::kDisconnected);
  node_.ring_broken = false;
  EXPECT_EQ(node_.usage().objects, 0U);
  // The close that could not be written is written now.
  writer_->collect();
  EXPECT_EQ(node_.usage().used_bytes, 0U);
}

TEST_F(ObjectWriterTest, ThreadsShareAWriter) {
  std::vector<std::thread> threads;
  for (uint8_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      std::mt19937 random(thread);
      std::vector<std::pair<shm::EntryRef, std::span<const uint8_t>>> mine;
      auto drop = [&] {
        auto [entry, bytes] = mine.back();
        mine.pop_back();
        EXPECT_EQ(bytes.front(), thread);
        EXPECT_EQ(bytes.back(), thread);
        node_.release(entry);
      };
      for (int i = 0; i < 150; ++i) {
        uint64_t size_bytes = random() % 8 == 0 ? kMiB + random() % kMiB : 1 + random() % (600 << 10);
        Result<Placement> placement = writer_->create(size_bytes, {});
        if (placement.ok() && random() % 10 != 0) {
          std::memset(placement->data(), thread, size_bytes);
          std::span<const uint8_t> bytes = view_.view(placement->offset(), size_bytes).value();
          shm::EntryRef entry = node_.take_entry();
          ASSERT_TRUE(writer_->seal(std::move(*placement), entry).ok());
          mine.emplace_back(entry, bytes);
        }
        while (mine.size() > random() % 12) {
          drop();
        }
        if (random() % 50 == 0) {
          writer_->collect();
        }
      }
      while (!mine.empty()) {
        drop();
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  writer_->collect();
  EXPECT_EQ(node_.usage().objects, 0U);
  EXPECT_EQ(node_.usage().used_bytes, 0U);
}

TEST(CopyBytesTest, CopiesAllSizes) {
  for (uint64_t size_bytes : {uint64_t{0}, uint64_t{1}, kMiB, 16 * kMiB, 17 * kMiB + 3, 41 * kMiB + 1}) {
    std::vector<uint8_t> from(size_bytes + 1);
    std::vector<uint8_t> to(size_bytes + 1, 0xee);
    for (uint64_t i = 0; i < size_bytes; i += 1009) {
      from[i] = static_cast<uint8_t>(i / 1009);
    }
    copy_bytes(to.data(), from.data(), size_bytes);
    EXPECT_EQ(std::memcmp(to.data(), from.data(), size_bytes), 0);
    EXPECT_EQ(to[size_bytes], 0xee);
  }
}

}  // namespace
}  // namespace sabir::store
