// What callee.cc registers.
#pragma once

#include <cstdint>
#include <memory>
#include <sabir/sabir.hpp>
#include <vector>

namespace callee {

using Bytes = std::vector<uint8_t>;

class Actor {
 public:
  static std::unique_ptr<Actor> create();
  Bytes small_value();
  Bytes small_value_arg(int x);
  void small_value_batch(int n);
  int pid();
};

class Client {
 public:
  static std::unique_ptr<Client> create(std::vector<sabir::ActorHandle<Actor>> servers);
  void small_value_batch(int n);
  void small_value_batch_arg(int n);

 private:
  std::vector<sabir::ActorHandle<Actor>> servers_;
};

Bytes small_value();
void put_small();
void put_arrays(uint64_t size);
std::vector<sabir::ObjectRef<int>> make_refs(int count);
double first(sabir::Tensor<double> array);
sabir::Value identity(const sabir::Value& value);
void call_all(const std::vector<sabir::ActorHandle<Actor>>& servers, int n);

}  // namespace callee
