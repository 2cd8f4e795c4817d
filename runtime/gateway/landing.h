// Where an object of another node is written, in this node's store.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>

#include "runtime/client/client.h"
#include "runtime/client/objects.h"

namespace sabir::gateway {

// Whoever reads what is there already has a share of it: then the bytes stay, and stay mapped, also when they have
// become an object that everybody else has let go of.
class Landing {
 public:
  // Waits up to `wait_ns` for room: kStoreFull.
  static Result<std::shared_ptr<Landing>> make(client::Client& client, client::ValueHeader header, uint64_t size_bytes,
                                               int64_t wait_ns);
  ~Landing();
  Landing(const Landing&) = delete;
  Landing& operator=(const Landing&) = delete;

  const client::Client* client() const { return &client_; }
  std::span<uint8_t> destination() const { return destination_; }
  // The same bytes in the mapping that stays.
  std::span<const uint8_t> bytes() const { return bytes_; }

  // All is written: it is an object of the client. The caller's count. Once, and not after abandon().
  Result<client::Future*> seal();

  // From any thread: who reads the bytes, and has done with them.
  void begin_read();
  void end_read();
  // Nothing writes to it any more: the room goes back as soon as nobody reads it, since it may soon be another
  // object's.
  void abandon();
  // ... at once: the client goes, and who still reads has no right to be believed.
  void abandon_now();

 private:
  explicit Landing(client::Client& client) : client_(client) {}
  void give_back();

  client::Client& client_;
  std::unique_ptr<client::Builder> builder_;
  std::span<uint8_t> destination_;
  std::span<const uint8_t> bytes_;
  client::Future* mapping_ = nullptr;  // a count: as long as any of its futures lives, a client's mapping stays
  client::Future* sealed_ = nullptr;   // a count
  std::mutex lock_;                    // guards these; held while the room goes back
  size_t readers_ = 0;
  bool abandoned_ = false;
};

}  // namespace sabir::gateway
