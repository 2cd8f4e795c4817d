// A disk that fails when a test says so: an SQLite VFS over the system's.
#pragma once

#include <atomic>
#include <cstdint>

namespace sabir::control::testing {

// There is one for the process; any thread. Name it as SqliteStorage::Options::vfs.
class FaultDisk {
 public:
  enum class Fault : uint8_t {
    kNone,
    kFull,      // no write finds room; the one that fails may have written a part
    kBadWrite,  // writes fail with EIO
    kBadSync,   // fsync fails
    kBadRead,   // reads fail
  };

  static constexpr const char* kName = "sabir-fault";

  // Registers it the first time.
  static FaultDisk& get();

  // `after` more writes (reads, syncs) go well, then all fail.
  void set(Fault fault, uint32_t after = 0) {
    left_.store(after);
    met_.store(0);
    fault_.store(fault);
  }
  void mend() { fault_.store(Fault::kNone); }
  // How many operations met the fault since the last set().
  uint32_t met() const { return met_.load(); }

  // What the VFS asks before each operation.
  bool fails(Fault kind);

 private:
  FaultDisk() = default;
  std::atomic<Fault> fault_ = Fault::kNone;
  std::atomic<uint32_t> left_ = 0;
  std::atomic<uint32_t> met_ = 0;
};

}  // namespace sabir::control::testing
