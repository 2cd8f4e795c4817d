#include "runtime/loop/event_port.h"

#include <capnp/rpc-twoparty.h>
#include <gtest/gtest.h>
#include <kj/vector.h>
#include <sys/socket.h>

#include <atomic>
#include <thread>

#include "runtime/base/clock.h"
#include "runtime/loop/testing/echo.capnp.h"
#include "runtime/loop/timer.h"

namespace sabir::loop {
namespace {

constexpr int64_t kLong = 20 * kSecondNs;

class EchoServer final : public Echo::Server {
 protected:
  kj::Promise<void> say(SayContext context) override {
    context.getResults().setText(context.getParams().getText());
    return kj::READY_NOW;
  }
};

struct SocketPair {
  SocketPair() {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    a.reset(ends[0]);
    b.reset(ends[1]);
  }
  UniqueFd a, b;
};

class EventPortTest : public testing::Test {
 protected:
  ~EventPortTest() noexcept override = default;

  EventLoop loop_;
  KjLoop kj_loop_{loop_};
};

TEST_F(EventPortTest, KjDrives) {
  SteadyClock clock;
  int64_t start_ns = clock.now_ns();
  kj_loop_.delay(5 * kMillisecondNs).wait(kj_loop_.wait_scope());
  EXPECT_GE(clock.now_ns() - start_ns, 5 * kMillisecondNs);
}

TEST_F(EventPortTest, LibuvDrives) {
  bool done = false;
  auto promise = kj_loop_.delay(kMillisecondNs).then([&] { done = true; }).eagerlyEvaluate(nullptr);
  EXPECT_TRUE(loop_.run_until([&] { return done; }, kLong));
}

TEST_F(EventPortTest, EventsQueuedBeforeTheLoopSleepsAreRun) {
  // Nothing outside will ever wake this loop: all must run although libuv has nothing to wait for.
  int steps = 0;
  kj::Vector<kj::Promise<void>> promises;
  for (int i = 0; i < 3000; ++i) {
    promises.add(kj::evalLater([&] { ++steps; }).eagerlyEvaluate(nullptr));
  }
  EXPECT_TRUE(loop_.run_until([&] { return steps == 3000; }, kLong));
}

TEST_F(EventPortTest, EndlessKjWorkStarvesNoTimer) {
  bool stop = false;
  std::function<kj::Promise<void>()> spin = [&]() -> kj::Promise<void> {
    return stop ? kj::Promise<void>(kj::READY_NOW) : kj::evalLater([&] { return spin(); });
  };
  auto promise = spin().eagerlyEvaluate(nullptr);
  Timer timer(loop_, [&] { stop = true; });
  timer.start_once(2 * kMillisecondNs);
  EXPECT_TRUE(loop_.run_until([&] { return stop; }, kLong));
}

TEST_F(EventPortTest, RpcAndTimersOnOneLoop) {
  SocketPair sockets;
  auto server_stream = kj_loop_.stream(std::move(sockets.a));
  auto client_stream = kj_loop_.stream(std::move(sockets.b));
  capnp::TwoPartyServer server(kj::heap<EchoServer>());
  auto serving = server.accept(*server_stream).eagerlyEvaluate(nullptr);
  int ticks = 0;
  Timer timer(loop_, [&] { ++ticks; });
  timer.start_periodic(kMillisecondNs);
  {
    capnp::TwoPartyClient client(*client_stream);
    Echo::Client echo = client.bootstrap().castAs<Echo>();
    int answers = 0;
    std::string large(1 << 20, 'x');
    kj::Vector<kj::Promise<void>> calls;
    for (int i = 0; i < 20; ++i) {
      auto request = echo.sayRequest();
      request.setText(large.c_str());
      calls.add(request.send()
                    .then([&](auto&& response) { answers += response.getText() == large.c_str() ? 1 : 0; })
                    .eagerlyEvaluate(nullptr));
    }
    EXPECT_TRUE(loop_.run_until([&] { return answers == 20 && ticks > 3; }, kLong));
    // The other way of running, on the same objects.
    auto request = echo.sayRequest();
    request.setText("again");
    EXPECT_STREQ(request.send().wait(kj_loop_.wait_scope()).getText().cStr(), "again");
  }
  client_stream = nullptr;
  bool ended = false;
  auto watched = serving.then([&] { ended = true; }).eagerlyEvaluate(nullptr);
  EXPECT_TRUE(loop_.run_until([&] { return ended; }, kLong));
}

TEST_F(EventPortTest, AnotherThreadWakesTheLoop) {
  const kj::Executor& executor = kj::getCurrentThreadExecutor();
  std::thread::id ran_on;
  std::atomic<bool> done{false};
  std::thread other([&] {
    executor.executeSync([&] { ran_on = std::this_thread::get_id(); });
    done = true;
    loop_.stop();
  });
  loop_.run();
  other.join();
  EXPECT_TRUE(done);
  EXPECT_EQ(ran_on, std::this_thread::get_id());
}

TEST_F(EventPortTest, AnotherThreadWakesAWaitOfKj) {
  const kj::Executor& executor = kj::getCurrentThreadExecutor();
  auto pair = kj::newPromiseAndFulfiller<int>();
  std::thread other([&] { executor.executeSync([&] { pair.fulfiller->fulfill(5); }); });
  EXPECT_EQ(pair.promise.wait(kj_loop_.wait_scope()), 5);
  other.join();
}

TEST_F(EventPortTest, AnIdleLoopSleeps) {
  SocketPair sockets;
  auto stream = kj_loop_.stream(std::move(sockets.a));
  char buffer[8];
  auto read = stream->tryRead(buffer, 1, 8).eagerlyEvaluate(nullptr);
  loop_.run_until([] { return false; }, kMillisecondNs);
  timespec before{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
  loop_.run_until([] { return false; }, 200 * kMillisecondNs);
  timespec after{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
  int64_t used_ns = (after.tv_sec - before.tv_sec) * kSecondNs + (after.tv_nsec - before.tv_nsec);
  // A loop that spins would use all of it; the share is independent of how fast the machine is.
  EXPECT_LT(used_ns, 100 * kMillisecondNs);
}

}  // namespace
}  // namespace sabir::loop
