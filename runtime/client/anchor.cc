#include "runtime/client/anchor.h"

#include <sys/mman.h>

#include <array>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/client/future.h"

namespace sabir::client {
namespace {

// As many places as clients come and go at a time; no lock that a fork could leave held.
std::array<std::atomic<Anchor*>, 64> spare_anchors{};

Anchor* take_spare() {
  for (std::atomic<Anchor*>& place : spare_anchors) {
    if (place.load(std::memory_order_relaxed) != nullptr) {
      if (Anchor* anchor = place.exchange(nullptr, std::memory_order_acquire)) {
        return anchor;
      }
    }
  }
  return nullptr;
}

}  // namespace

Anchor::Anchor() {
  constexpr size_t kPageBytes = 4096;
  void* page = ::mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  SABIR_CHECK(page != MAP_FAILED, "no memory for a page");
  // Without the advice (kernels before 4.14) a fork goes unnoticed; the node needs newer ones anyway.
  SABIR_CHECK(::madvise(page, kPageBytes, MADV_WIPEONFORK) == 0);
  guard_ = static_cast<uint32_t*>(page);
}

Anchor* Anchor::acquire() {
  Anchor* anchor = take_spare();
  if (anchor == nullptr) {
    anchor = new Anchor;
  }
  anchor->orphaned_.store(false, std::memory_order_relaxed);
  anchor->orphanage_ = nullptr;
  __atomic_store_n(anchor->guard_, 1u, __ATOMIC_RELEASE);
  return anchor;
}

void Anchor::push_only(Future* dead) {
  Future* head = dead_.load(std::memory_order_relaxed);
  do {
    dead->next = head;
  } while (!dead_.compare_exchange_weak(head, dead, std::memory_order_seq_cst, std::memory_order_relaxed));
}

void Anchor::push_dead(Future* dead) {
  push_only(dead);
  if (orphaned_.load(std::memory_order_seq_cst)) [[unlikely]] {
    reap();
  }
}

void Anchor::orphan(Orphanage* orphanage, int64_t live_count) {
  orphanage_ = orphanage;
  // One more than there are, so that nobody finishes before the reap below has begun.
  orphans_.store(live_count + 1, std::memory_order_relaxed);
  orphaned_.store(true, std::memory_order_seq_cst);
  reap();
  if (orphans_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    finish();
  }
}

void Anchor::reap() {
  int64_t buried = 0;
  while (Future* dead = take_dead()) {
    while (dead != nullptr) {
      Future* next = dead->next;
      orphanage_->bury(dead);
      ++buried;
      dead = next;
    }
  }
  if (buried != 0 && orphans_.fetch_sub(buried, std::memory_order_acq_rel) == buried) {
    finish();
  }
}

void Anchor::finish() {
  delete std::exchange(orphanage_, nullptr);
  for (std::atomic<Anchor*>& place : spare_anchors) {
    Anchor* none = nullptr;
    if (place.compare_exchange_strong(none, this, std::memory_order_release, std::memory_order_relaxed)) {
      return;
    }
  }
  // More than there are places: it is simply not used again.
}

}  // namespace sabir::client
