// A driver in C++ under measurement: driver CALLEE PYTHON CODE_PATH..., where CALLEE is python, java or cpp.
//
// Commands, one a line: "open WORKLOAD", "round SECONDS", "close", "latency task|actor COUNT", "pids COUNT". One JSON
// object answers each. The workloads are those of tests/benchmark/workloads.py, under the same names and of their size.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <thread>

#include "callee.hpp"

using callee::Bytes;

namespace {

std::string callee_language;

std::string camel(const std::string& name) {
  std::string made;
  for (size_t i = 0; i < name.size(); ++i) {
    made += name[i] == '_' ? static_cast<char>(std::toupper(name[++i])) : name[i];
  }
  return made;
}

std::string method(const std::string& name) { return callee_language == "java" ? camel(name) : name; }

template <typename R>
auto function(const std::string& name) {
  return callee_language == "python" ? sabir::py_function<R>("callee", name)
         : callee_language == "java" ? sabir::java_function<R>("Callee", camel(name))
                                     : sabir::cpp_function<R>(name);
}

template <typename... A>
sabir::ActorHandle<> make(const std::string& name, const A&... argument) {
  sabir::ActorOptions options;
  options.num_cpus = 0;
  return callee_language == "python" ? sabir::py_actor_class("callee", name).options(options).remote(argument...)
         : callee_language == "java" ? sabir::java_actor_class("Callee$" + name).options(options).remote(argument...)
                                     : sabir::cpp_actor_class(name + "::create").options(options).remote(argument...);
}

struct Workload {
  std::function<void()> run;
  double operations;
  const char* unit = "/s";
};

constexpr int kSmaller = 4;  // as in workloads.py

size_t actor_count() { return std::max(1u, std::thread::hardware_concurrency() / 2); }

std::vector<sabir::ActorHandle<>> actors(size_t count) {
  std::vector<sabir::ActorHandle<>> made;
  for (size_t i = 0; i < count; ++i) {
    made.push_back(make("Actor"));
  }
  return made;
}

// Sends `count` calls, and takes all results.
template <typename R, typename Call>
void batch(int count, const Call& call) {
  std::vector<sabir::ObjectRef<R>> refs;
  refs.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    refs.push_back(call(i));
  }
  sabir::get(refs);
}

template <typename Call>
void repeat(int count, const Call& call) {
  for (int i = 0; i < count; ++i) {
    call();
  }
}

Workload tasks(int count, bool synchronous, double operations, const char* unit) {
  auto task = function<Bytes>("small_value");
  return {[=] {
            if (synchronous) {
              repeat(count, [&] { task.remote().get(); });
            } else {
              batch<Bytes>(count, [&](int) { return task.remote(); });
            }
          },
          operations, unit};
}

Workload actor_calls(int count, bool synchronous) {
  auto actor = make("Actor");
  auto call = actor.task<Bytes>(method("small_value"));
  return {[=] {
            (void)actor;
            if (synchronous) {
              repeat(count, [&] { call.remote().get(); });
            } else {
              batch<Bytes>(count, [&](int) { return call.remote(); });
            }
          },
          static_cast<double>(count)};
}

void wait_1k() {
  auto task = function<Bytes>("small_value");
  std::vector<sabir::ObjectRef<Bytes>> left;
  repeat(1000, [&] { left.push_back(task.remote()); });
  while (!left.empty()) {
    left = sabir::wait(left).not_ready;
  }
}

Workload put_gigabytes() {
  auto zeros = std::make_shared<std::vector<int64_t>>(100u * 1024 * 1024 / kSmaller);
  return {[=] { sabir::put(sabir::Tensor<int64_t>::view(zeros->data(), {zeros->size()})); },
          static_cast<double>(zeros->size()) * 8 / 1e9, "GB/s"};
}

Workload put_arrays() {
  uint64_t size = 10u * 1024 * 1024 / kSmaller;
  auto task = function<void>("put_arrays");
  return {[=] { batch<void>(10, [&](int) { return task.remote(size); }); }, 100.0 * static_cast<double>(size) * 8 / 1e9,
          "GB/s"};
}

Workload batches_of_actors() {
  int n = 10000 / kSmaller;
  auto all = actors(4);
  return {[=] {
            batch<void>(4, [&](int i) {
              return all[static_cast<size_t>(i)].task<void>(method("small_value_batch")).remote(n);
            });
          },
          4.0 * n};
}

Workload one_to_n() {
  int n = 5000 / kSmaller;
  auto client = make("Client", actors(actor_count()));
  return {[=] { client.task<void>(method("small_value_batch")).remote(n).get(); },
          n * static_cast<double>(actor_count())};
}

Workload n_to_n() {
  int n = 5000 / kSmaller;
  auto servers = actors(actor_count());
  auto task = function<void>("call_all");
  return {[=] { batch<void>(4, [&](int) { return task.remote(servers, n); }); }, 4.0 * n};
}

Workload n_to_n_with_argument() {
  std::vector<sabir::ActorHandle<>> clients;
  for (auto& server : actors(actor_count())) {
    clients.push_back(make("Client", std::vector<sabir::ActorHandle<>>{server}));
  }
  return {[=] {
            batch<void>(static_cast<int>(clients.size()), [&](int i) {
              return clients[static_cast<size_t>(i)].task<void>(method("small_value_batch_arg")).remote(1000);
            });
          },
          1000.0 * static_cast<double>(clients.size())};
}

Workload array(bool by_reference) {
  auto zeros = std::make_shared<std::vector<double>>(10'000'000);
  auto view = sabir::Tensor<double>::view(zeros->data(), {zeros->size()});
  auto task = function<double>("first");
  if (by_reference) {
    auto ref = sabir::put(view);
    return {[=] { task.remote(ref).get(); }, 1};
  }
  return {[=] { (void)zeros, task.remote(view).get(); }, 1};
}

Workload ten_thousand_refs() {
  auto ref = function<std::vector<sabir::ObjectRef<int>>>("make_refs").remote(10000);
  return {[=] { ref.get(); }, 1};
}

Workload small_lists() {
  auto task = function<std::vector<int>>("identity");
  return {[=] { batch<std::vector<int>>(1000, [&](int) { return task.remote(std::vector<int>{1, 2}); }); }, 1000};
}

const std::map<std::string, std::function<Workload()>>& workloads() {
  static const std::map<std::string, std::function<Workload()>> kAll = {
      {"single client get calls (Plasma Store)",
       [] {
         auto ref = sabir::put(0);
         return Workload{[=] { repeat(100, [&] { ref.get(); }); }, 100};
       }},
      {"single client put calls (Plasma Store)",
       [] {
         return Workload{[] { repeat(100, [] { sabir::put(0); }); }, 100};
       }},
      {"single client put and get of a small value",
       [] {
         return Workload{[] { repeat(100, [] { sabir::put(0).get(); }); }, 100};
       }},
      {"multi client put calls (Plasma Store)",
       [] {
         auto task = function<void>("put_small");
         return Workload{[=] { batch<void>(10, [&](int) { return task.remote(); }); }, 1000};
       }},
      {"single client put gigabytes", put_gigabytes},
      {"multi client put gigabytes", put_arrays},
      {"single client tasks and get batch", [] { return tasks(1000, false, 1, " batches/s"); }},
      {"single client get object containing 10k refs", ten_thousand_refs},
      {"single client wait 1k refs",
       [] {
         return Workload{wait_1k, 1};
       }},
      {"single client tasks sync", [] { return tasks(20, true, 20, "/s"); }},
      {"single client tasks async", [] { return tasks(1000, false, 1000, "/s"); }},
      {"multi client tasks async", batches_of_actors},
      {"1:1 actor calls sync", [] { return actor_calls(20, true); }},
      {"1:1 actor calls async", [] { return actor_calls(1000, false); }},
      {"1:n actor calls async", one_to_n},
      {"n:n actor calls async", n_to_n},
      {"n:n actor calls with arg async", n_to_n_with_argument},
      {"an 80 MB array as argument", [] { return array(false); }},
      {"an 80 MB array by reference", [] { return array(true); }},
      {"tasks with a small list each way async", small_lists},
  };
  return kAll;
}

double seconds_since(std::chrono::steady_clock::time_point began) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

double round(const Workload& work, double seconds) {
  auto began = std::chrono::steady_clock::now();
  int count = 0;
  while (seconds_since(began) < seconds) {
    work.run();
    ++count;
  }
  return count * work.operations / seconds_since(began);
}

template <typename Call>
void latencies(int count, const Call& call) {
  repeat(std::min(count, 500), call);
  std::vector<double> times;
  for (int i = 0; i < count; ++i) {
    auto began = std::chrono::steady_clock::now();
    call();
    times.push_back(seconds_since(began) * 1e6);
  }
  std::sort(times.begin(), times.end());
  std::printf("{\"p50_us\": %.3f, \"p99_us\": %.3f}\n", times[times.size() / 2], times[times.size() * 99 / 100]);
}

void latency(const std::string& what, int count) {
  if (what == "actor") {
    auto actor = make("Actor");
    auto call = actor.task<Bytes>(method("small_value"));
    latencies(count, [&] { call.remote().get(); });
  } else {
    auto task = function<Bytes>("small_value");
    latencies(count, [&] { task.remote().get(); });
  }
}

// Processes of actors that have done a call, for as long as this takes to be answered by the next command.
void pids(int count, std::vector<sabir::ActorHandle<>>& held) {
  held = actors(static_cast<size_t>(count));
  std::string list;
  for (auto& actor : held) {
    list += (list.empty() ? "" : ", ") + std::to_string(actor.task<int>("pid").remote().get());
  }
  std::printf("{\"pids\": [%s]}\n", list.c_str());
}

void serve() {
  Workload work;
  std::vector<sabir::ActorHandle<>> held;
  for (std::string line; std::getline(std::cin, line); std::fflush(stdout)) {
    std::istringstream words(line);
    std::string verb;
    words >> verb;
    if (verb == "open") {
      auto found = workloads().find(line.substr(5));
      if (found == workloads().end()) {
        std::puts("{\"unsupported\": true}");
        continue;
      }
      work = found->second();
      work.run();
      std::printf("{\"unit\": \"%s\"}\n", work.unit);
    } else if (verb == "round") {
      double seconds = 0;
      words >> seconds;
      std::printf("{\"rate\": %.6g}\n", round(work, seconds));
    } else if (verb == "latency") {
      std::string what;
      int count = 0;
      words >> what >> count;
      latency(what, count);
    } else if (verb == "pids") {
      int count = 0;
      words >> count;
      pids(count, held);
    } else {
      work = {};
      held.clear();
      std::puts("{}");
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  sabir::Config config;
  config.address = "local";
  config.log_to_driver = false;
  if (argc > 3) {
    callee_language = argv[1];
    config.python = callee_language == "python" ? argv[2] : "";
    config.code_search_path.assign(argv + 3, argv + argc);
  }
  sabir::Session session(config);  // does not return in a worker
  std::puts("{\"ready\": true}");
  std::fflush(stdout);
  serve();
}
