// What the programs here have called in C++; Functions.java and functions.py have the same.
#include "functions.hpp"

#include <stdexcept>

namespace {

class Counter {
 public:
  explicit Counter(int start) : count_(start) {}
  static Counter create(int start) { return Counter(start); }
  int add(int by) { return count_ += by; }

 private:
  int count_;
};

int add_to(sabir::ActorHandle<> counter, int by) { return counter.task<int>("add").remote(by).get(); }
int add_to_named(const std::string& name, int by) { return sabir::get_actor(name).task<int>("add").remote(by).get(); }
sabir::Value same(const sabir::Value& value) { return value; }

// Has the rest of the chain called in its first language; the last one throws.
sabir::Value chain(const std::vector<std::string>& languages) {
  if (languages.empty()) {
    throw std::out_of_range("the end of the chain");
  }
  std::vector<std::string> rest(languages.begin() + 1, languages.end());
  return function_in<sabir::Value>(languages[0], "chain").remote(rest).get();
}

}  // namespace

SABIR_REMOTE(Counter::create, &Counter::add);
SABIR_REMOTE(add_to, add_to_named, same, chain);
