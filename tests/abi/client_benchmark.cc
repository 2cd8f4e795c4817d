// Submit, complete and get through a C worker, as a plain program: it prints one line per measure and asserts nothing.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

extern "C" {
#include "tests/abi/support/harness.h"
}

namespace {

using Clock = std::chrono::steady_clock;

double ns_since(Clock::time_point start) {
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

sabir_ref* submit(sabir_task* task) {
  sabir_ref* ref = nullptr;
  CHECK_OK(sabir_task_submit(task, nullptr, 0, &ref, &error));
  return ref;
}

void synchronous(sabir_client* client, sabir_task* noop) {
  constexpr int kCalls = 20000;
  std::vector<double> times;
  for (int i = 0; i < kCalls; ++i) {
    auto start = Clock::now();
    sabir_ref* ref = submit(noop);
    CHECK_OK(sabir_get(client, &ref, 1, -1, nullptr, &error));
    times.push_back(ns_since(start));
    sabir_ref_release(ref);
  }
  std::sort(times.begin(), times.end());
  std::printf("synchronous: p50 %.2f us, p90 %.2f us, p99 %.2f us\n", times[kCalls / 2] / 1e3,
              times[kCalls * 9 / 10] / 1e3, times[kCalls * 99 / 100] / 1e3);
}

void pipelined(sabir_client* client, sabir_task* noop, int batch) {
  int rounds = std::max(1, 300000 / batch);
  double submit_ns = 0;
  std::vector<sabir_ref*> refs(static_cast<size_t>(batch));
  auto start = Clock::now();
  for (int round = 0; round < rounds; ++round) {
    auto begin = Clock::now();
    for (sabir_ref*& ref : refs) {
      ref = submit(noop);
    }
    submit_ns += ns_since(begin);
    CHECK_OK(sabir_get(client, refs.data(), refs.size(), -1, nullptr, &error));
    for (sabir_ref* ref : refs) {
      sabir_ref_release(ref);
    }
  }
  double calls = static_cast<double>(batch) * rounds;
  std::printf("pipelined, batches of %6d: %7.0f k calls/s, submit %4.0f ns\n", batch, calls / ns_since(start) * 1e6,
              submit_ns / calls);
}

void put_and_get(sabir_client* client) {
  constexpr int kRounds = 1000000;
  auto start = Clock::now();
  for (int64_t i = 0; i < kRounds; ++i) {
    sabir_ref* ref = put_int(client, i);
    CHECK_OK(sabir_get(client, &ref, 1, -1, nullptr, &error));
    sabir_view view;
    CHECK_OK(sabir_ref_view(ref, &view, &error));
    sabir_ref_release(ref);
  }
  std::printf("put + get of a small value: %.0f k/s\n", kRounds / ns_since(start) * 1e6);
}

void put_large(sabir_client* client) {
  constexpr size_t kBytes = 64 << 20;
  constexpr int kRounds = 10;
  std::vector<char> source(kBytes, 'x');
  std::vector<char> target(kBytes, 'y');
  auto copy_start = Clock::now();
  for (int i = 0; i < kRounds; ++i) {
    std::copy(source.begin(), source.end(), target.begin());
    source[0] = target[1];
  }
  double copy_ns = ns_since(copy_start);
  double put_ns = 0;
  for (int i = 0; i <= kRounds; ++i) {
    bytes storage;
    sabir_ref* ref = nullptr;
    auto start = Clock::now();
    CHECK_OK(sabir_put(client, raw(&storage, source.data(), kBytes), FOREVER, &ref, &error));
    put_ns += i == 0 ? 0 : ns_since(start);  // the first one meets cold memory
    sabir_ref_release(ref);
  }
  std::printf("put of 64 MiB: %.2f of memcpy (%.1f GB/s)\n", copy_ns / put_ns, kBytes * kRounds / put_ns);
}

}  // namespace

extern "C" int scenario(void) {
  const char* cpus = std::getenv("CPUS");
  sabir_client* client = start_with(cpus == nullptr ? 1 : std::atof(cpus), nullptr, 0, 1u << 30);
  sabir_task* noop = task(client, "noop", 1, 3);
  for (int i = 0; i < 1000; ++i) {
    take_any(client, submit(noop));
  }
  for (int round = 0; round < 3; ++round) {
    synchronous(client, noop);
    for (int batch : {10, 100, 1000, 10000, 100000}) {
      pipelined(client, noop, batch);
    }
  }
  put_and_get(client);
  put_large(client);
  sabir_task_release(noop);
  stop(client);
  return 0;
}
