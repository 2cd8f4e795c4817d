// What the benchmark drivers call in C++. In the driver itself, and in a library for drivers in other languages.
#include "callee.hpp"

#include <unistd.h>

namespace callee {

Bytes small_value() { return {'o', 'k'}; }

void put_small() {
  for (int i = 0; i < 100; ++i) {
    sabir::put(0);
  }
}

void put_arrays(uint64_t size) {
  for (int i = 0; i < 10; ++i) {
    std::vector<int64_t> zeros(size);
    sabir::put(sabir::Tensor<int64_t>::view(zeros.data(), {size}));
  }
}

std::vector<sabir::ObjectRef<int>> make_refs(int count) {
  std::vector<sabir::ObjectRef<int>> refs;
  for (int i = 0; i < count; ++i) {
    refs.push_back(sabir::put(1));
  }
  return refs;
}

double first(sabir::Tensor<double> array) { return array(0); }

sabir::Value identity(const sabir::Value& value) { return value; }

void call_all(const std::vector<sabir::ActorHandle<Actor>>& servers, int n) {
  std::vector<sabir::ObjectRef<Bytes>> refs;
  for (int i = 0; i < n; ++i) {
    refs.push_back(servers[static_cast<size_t>(i) % servers.size()].task(&Actor::small_value).remote());
  }
  sabir::get(refs);
}

std::unique_ptr<Actor> Actor::create() { return std::make_unique<Actor>(); }
Bytes Actor::small_value() { return {'o', 'k'}; }
Bytes Actor::small_value_arg(int) { return {'o', 'k'}; }
int Actor::pid() { return ::getpid(); }

void Actor::small_value_batch(int n) {
  std::vector<sabir::ObjectRef<Bytes>> refs;
  for (int i = 0; i < n; ++i) {
    refs.push_back(sabir::task(callee::small_value).remote());
  }
  sabir::get(refs);
}

std::unique_ptr<Client> Client::create(std::vector<sabir::ActorHandle<Actor>> servers) {
  auto client = std::make_unique<Client>();
  client->servers_ = std::move(servers);
  return client;
}

void Client::small_value_batch(int n) {
  std::vector<sabir::ObjectRef<Bytes>> refs;
  for (const auto& server : servers_) {
    for (int i = 0; i < n; ++i) {
      refs.push_back(server.task(&Actor::small_value).remote());
    }
  }
  sabir::get(refs);
}

void Client::small_value_batch_arg(int n) {
  auto x = sabir::put(0);
  std::vector<sabir::ObjectRef<Bytes>> refs;
  for (const auto& server : servers_) {
    for (int i = 0; i < n; ++i) {
      refs.push_back(server.task(&Actor::small_value_arg).remote(x));
    }
  }
  sabir::get(refs);
}

}  // namespace callee

SABIR_REMOTE_AS("small_value", &callee::small_value);
SABIR_REMOTE_AS("put_small", &callee::put_small);
SABIR_REMOTE_AS("put_arrays", &callee::put_arrays);
SABIR_REMOTE_AS("make_refs", &callee::make_refs);
SABIR_REMOTE_AS("first", &callee::first);
SABIR_REMOTE_AS("identity", &callee::identity);
SABIR_REMOTE_AS("call_all", &callee::call_all);
using callee::Actor;
using callee::Client;
SABIR_REMOTE(Actor::create, &Actor::small_value, &Actor::small_value_arg, &Actor::small_value_batch, &Actor::pid);
SABIR_REMOTE(Client::create, &Client::small_value_batch, &Client::small_value_batch_arg);
