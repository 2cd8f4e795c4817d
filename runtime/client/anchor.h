// What outlives a client: handles may be released after their client was destroyed, by a finalizer on any thread, and
// in a forked child. So each handle points at an Anchor, which is never freed, only used again.
//
// P3: releasing the last count of a handle pushes it on a lock-free list and does nothing else. The client empties the
// list at its next entry; when the client is gone, whoever pushes empties it, and the last one frees the memory.
// P7: a page that the kernel wipes in a forked child tells both apart with one load, also after a bare clone().
#pragma once

#include <atomic>
#include <cstdint>

namespace sabir::client {

class Client;
struct Future;

// Memory that must stay until the last handle is gone.
class Orphanage {
 public:
  virtual ~Orphanage() = default;
  // Gives up what a dead handle keeps alive. Handles that die with it go to Anchor::push_only.
  virtual void bury(Future* dead) = 0;
};

class Anchor {
 public:
  // For one client; never null.
  static Anchor* acquire();

  bool forked() const { return __atomic_load_n(guard_, __ATOMIC_RELAXED) == 0; }

  // Whose handles these are; null once it is destroyed.
  Client* client() const { return client_.load(std::memory_order_acquire); }
  void set_client(Client* client) { client_.store(client, std::memory_order_release); }
  // First half of the ids of what the client made.
  uint64_t uid() const { return uid_; }
  void set_uid(uint64_t uid) { uid_ = uid; }

  // The handle's count is zero. Not touched by the caller after that.
  void push_dead(Future* dead);
  // The same for whoever is emptying the list right now.
  void push_only(Future* dead);
  bool has_dead() const { return dead_.load(std::memory_order_relaxed) != nullptr; }
  // The whole list, linked by Future::next. The client's, under its lock.
  Future* take_dead() { return dead_.exchange(nullptr, std::memory_order_acquire); }

  // The client is gone; live_count handles are left. The last of them deletes `orphanage` and gives the anchor back.
  void orphan(Orphanage* orphanage, int64_t live_count);

 private:
  Anchor();
  void reap();
  void finish();

  std::atomic<Client*> client_{nullptr};
  std::atomic<Future*> dead_{nullptr};
  std::atomic<bool> orphaned_{false};
  std::atomic<int64_t> orphans_{0};
  Orphanage* orphanage_ = nullptr;
  uint64_t uid_ = 0;
  uint32_t* guard_ = nullptr;
};

}  // namespace sabir::client
