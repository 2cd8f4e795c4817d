#include "runtime/node/look.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "runtime/shm/fence.h"

namespace sabir::node {

Look::Look(loop::EventLoop& loop, const Clock& clock, shm::NodeHeader& header, Options options,
           std::function<bool()> once, UniqueFd bell)
    : clock_(clock),
      header_(header),
      options_(options),
      once_(std::move(once)),
      bell_(std::move(bell)),
      timer_(loop, [this] { now(); }) {}

Result<std::unique_ptr<Look>> Look::create(loop::EventLoop& loop, const Clock& clock, shm::NodeHeader& header,
                                           Options options, std::function<bool()> once) {
  UniqueFd bell(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!bell) {
    return Error::from_errno(errno, "eventfd");
  }
  std::unique_ptr<Look> look(new Look(loop, clock, header, options, std::move(once), std::move(bell)));
  Look* self = look.get();
  SABIR_ASSIGN_OR_RETURN(self->bell_watcher_, loop::FdWatcher::create(loop, self->bell_.get(), [self](uint32_t) {
                           // Q8: read it first, then look: who rings after the read is seen by the next round.
                           uint64_t rings = 0;
                           [[maybe_unused]] ssize_t size_bytes = ::read(self->bell_.get(), &rings, sizeof(rings));
                           self->now();
                         }));
  self->bell_watcher_->watch(loop::kReadable);
  return look;
}

void Look::now() {
  if (look()) {
    if (!timer_.active()) {
      watch(true);
    }
    return;
  }
  if (!timer_.active() || clock_.now_ns() - busy_at_ns_ < options_.quiet_ns) {
    return;
  }
  watch(false);
  // Who published before it could see the change has not rung: this look finds it.
  shm::full_fence();
  if (look()) {
    watch(true);
  }
}

bool Look::look() {
  ++count_;
  if (!once_()) {
    return false;
  }
  busy_at_ns_ = clock_.now_ns();
  return true;
}

void Look::watch(bool on) {
  header_.watching.store(on ? 1 : 0, std::memory_order_seq_cst);
  if (on) {
    timer_.start_periodic(options_.period_ns);
  } else {
    timer_.stop();
  }
}

}  // namespace sabir::node
