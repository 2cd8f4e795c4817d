#include "runtime/loop/event_port.h"

#include <kj/debug.h>
#include <uv.h>

#include <atomic>

#include "runtime/base/check.h"
#include "runtime/loop/fd_watcher.h"
#include "runtime/loop/timer.h"

namespace sabir::loop {

namespace {

// KJ events per round: enough for any burst of the control plane, few enough that timers and descriptors get their
// turn.
constexpr kj::uint kTurnsPerRound = 1000;

}  // namespace

struct UvEventPort::State {
  uv_loop_t* loop;
  uv_prepare_t prepare;  // runs right before libuv sleeps: KJ's turn
  uv_idle_t idle;        // active while KJ has something left: then libuv does not sleep
  uv_async_t async;      // wake() from another thread
  std::atomic<bool> woken{false};
  kj::EventLoop* kj_loop = nullptr;
  kj::WaitScope* scope = nullptr;
  bool kj_drives = false;  // inside wait() or poll(): KJ must not be entered again
  bool inside_uv = false;  // a callback of libuv called KJ: libuv must not be entered again
  int open_handles = 3;

  static State* of(void* handle) { return static_cast<State*>(static_cast<uv_handle_t*>(handle)->data); }

  void run_kj() {
    if (!kj_drives && kj_loop != nullptr) {
      inside_uv = true;
      // A promise's failure stays in the promise; what arrives here is a fault of our own, but not a reason to end all.
      KJ_IF_MAYBE (exception, kj::runCatchingExceptions([this] {
                     if (woken.load(std::memory_order_acquire)) {
                       scope->poll();
                     } else {
                       kj_loop->run(kTurnsPerRound);
                     }
                   })) {
        KJ_LOG(ERROR, "an event of the loop threw", *exception);
      }
      inside_uv = false;
    }
    // Asked here, each time before libuv sleeps: setRunnable() tells only of changes that KJ knows of, and its own
    // wait() does not report that it emptied the queue.
    if (kj_loop != nullptr && kj_loop->isRunnable()) {
      uv_idle_start(&idle, [](uv_idle_t*) {});
    } else {
      uv_idle_stop(&idle);
    }
  }

  bool run_uv(uv_run_mode mode) {
    if (!inside_uv) {
      kj_drives = true;
      uv_run(loop, mode);
      kj_drives = false;
    }
    return woken.exchange(false, std::memory_order_acq_rel);
  }

  void close(uv_handle_t* handle) {
    uv_close(handle, [](uv_handle_t* closed) {
      State* state = of(closed);
      if (--state->open_handles == 0) {
        delete state;
      }
    });
  }
};

UvEventPort::UvEventPort(EventLoop& loop) : state_(new State) {
  State& state = *state_;
  state.loop = loop.uv();
  SABIR_CHECK(uv_prepare_init(state.loop, &state.prepare) == 0);
  SABIR_CHECK(uv_idle_init(state.loop, &state.idle) == 0);
  SABIR_CHECK(uv_async_init(state.loop, &state.async, [](uv_async_t*) {}) == 0);
  state.prepare.data = state.idle.data = state.async.data = state_;
  SABIR_CHECK(uv_prepare_start(&state.prepare, [](uv_prepare_t* handle) { State::of(handle)->run_kj(); }) == 0);
}

UvEventPort::~UvEventPort() noexcept(false) {
  state_->kj_loop = nullptr;
  state_->close(reinterpret_cast<uv_handle_t*>(&state_->prepare));
  state_->close(reinterpret_cast<uv_handle_t*>(&state_->idle));
  state_->close(reinterpret_cast<uv_handle_t*>(&state_->async));
}

void UvEventPort::drive(kj::EventLoop* kj_loop, kj::WaitScope* scope) {
  state_->kj_loop = kj_loop;
  state_->scope = scope;
}

bool UvEventPort::wait() { return state_->run_uv(UV_RUN_ONCE); }

bool UvEventPort::poll() { return state_->run_uv(UV_RUN_NOWAIT); }

void UvEventPort::wake() const {
  state_->woken.store(true, std::memory_order_release);
  uv_async_send(&state_->async);
}

namespace {

class UvReadiness final : public Readiness {
 public:
  UvReadiness(EventLoop& loop, int fd) {
    auto watcher = FdWatcher::create(loop, fd, [this](uint32_t ready) { on_ready(ready); });
    KJ_REQUIRE(watcher.ok(), "cannot watch a descriptor", watcher.error().to_string().c_str());
    watcher_ = std::move(watcher).value();
  }

  kj::Promise<void> when_readable() override { return when(kReadable, readable_); }
  kj::Promise<void> when_writable() override { return when(kWritable, writable_); }
  kj::Promise<void> when_hung_up() override { return when(kHungUp, hung_up_); }

 private:
  using Waiter = kj::Maybe<kj::Own<kj::PromiseFulfiller<void>>>;

  kj::Promise<void> when(uint32_t event, Waiter& waiter) {
    auto pair = kj::newPromiseAndFulfiller<void>();
    waiter = kj::mv(pair.fulfiller);
    watcher_->watch(watcher_->interest() | event);
    return kj::mv(pair.promise);
  }

  void on_ready(uint32_t ready) {
    watcher_->watch(watcher_->interest() & ~ready);
    fire(ready & kReadable, readable_);
    fire(ready & kWritable, writable_);
    fire(ready & kHungUp, hung_up_);
  }

  static void fire(uint32_t happened, Waiter& waiter) {
    if (happened != 0) {
      KJ_IF_MAYBE (fulfiller, waiter) {
        fulfiller->get()->fulfill();
        waiter = nullptr;
      }
    }
  }

  std::unique_ptr<FdWatcher> watcher_;
  Waiter readable_, writable_, hung_up_;
};

}  // namespace

KjLoop::KjLoop(EventLoop& loop) : loop_(loop), port_(loop), kj_loop_(port_), scope_(kj_loop_) {
  port_.drive(&kj_loop_, &scope_);
}

KjLoop::~KjLoop() noexcept(false) { port_.drive(nullptr, nullptr); }

kj::Own<Readiness> KjLoop::watch(int fd) { return kj::heap<UvReadiness>(loop_, fd); }

kj::Own<SocketStream> KjLoop::stream(UniqueFd socket) {
  auto readiness = watch(socket.get());
  return kj::heap<SocketStream>(std::move(socket), kj::mv(readiness));
}

kj::Promise<void> KjLoop::delay(int64_t delay_ns) {
  auto pair = kj::newPromiseAndFulfiller<void>();
  auto timer = std::make_unique<Timer>(loop_, [fulfiller = pair.fulfiller.get()] { fulfiller->fulfill(); });
  timer->start_once(delay_ns);
  return pair.promise.attach(kj::mv(pair.fulfiller), kj::mv(timer));
}

}  // namespace sabir::loop
