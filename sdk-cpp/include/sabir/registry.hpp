// Functions and methods that workers run: SABIR_REMOTE registers them, each executable or library its own.
#ifndef SABIR_REGISTRY_HPP_
#define SABIR_REGISTRY_HPP_

#include <array>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

#include "sabir/macros.hpp"
#include "sabir/state.hpp"
#include "sabir/type_name.hpp"

SABIR_NAMESPACE_BEGIN
namespace detail {

class Call;

// A pointer to a function or method, comparable whatever its type.
struct PointerKey {
  std::array<unsigned char, 16> bytes{};

  template <typename Pointer>
  static PointerKey of(Pointer pointer) {
    static_assert(sizeof(pointer) <= sizeof(bytes));
    PointerKey key;
    std::memcpy(key.bytes.data(), &pointer, sizeof(pointer));
    return key;
  }
  bool operator<(const PointerKey& other) const { return bytes < other.bytes; }
};

// One registered function or method.
struct Entry {
  std::string name;
  PointerKey pointer;
  const std::type_info* type = nullptr;   // of the pointer
  const std::type_info* owner = nullptr;  // of a method: its class
  const std::type_info* makes = nullptr;  // of a factory: the class of its instances
  bool registered_twice = false;          // the name, for different things
  size_t arity = 0;
  void (*invoke)(const Entry&,
                 Call&) = nullptr;  // as a task, or as a method of the actor; null: its result cannot travel
  void (*create)(const Entry&, Call&) = nullptr;  // as a factory of actors
  // How the session knows it, for callers.
  std::unique_ptr<Exported> task;
  std::unique_ptr<Exported> factory;
  std::unique_ptr<Exported> method;

  bool is_method() const { return owner != nullptr; }
  std::string_view short_name() const {
    size_t colons = name.rfind("::");
    return colons == std::string::npos ? std::string_view(name) : std::string_view(name).substr(colons + 2);
  }
  std::string signature() const { return name + ": " + type_name(*type); }
};

// "&Counter::add" -> "Counter::add"
inline std::string clean_name(std::string_view written) {
  size_t begin = written.find_first_not_of("& \t");
  return std::string(begin == std::string_view::npos ? written : written.substr(begin));
}

class Registry {
 public:
  template <typename Pointer>
  void add(std::string_view written, Pointer pointer);

  const Entry* find(std::string_view name) const {
    auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : found->second;
  }
  Entry* find(const PointerKey& pointer, const std::type_info& type) const {
    auto range = by_pointer_.equal_range(pointer);
    for (auto at = range.first; at != range.second; ++at) {
      if (*at->second->type == type) {
        return at->second;
      }
    }
    return nullptr;
  }
  const std::vector<std::unique_ptr<Entry>>& entries() const { return entries_; }

 private:
  void insert(std::unique_ptr<Entry> entry) {
    auto known = by_name_.find(std::string_view(entry->name));
    if (known != by_name_.end()) {
      bool same = !(known->second->pointer < entry->pointer) && !(entry->pointer < known->second->pointer) &&
                  *known->second->type == *entry->type;
      known->second->registered_twice = known->second->registered_twice || !same;
      return;
    }
    by_name_.emplace(entry->name, entry.get());
    by_pointer_.emplace(entry->pointer, entry.get());
    entries_.push_back(std::move(entry));
  }

  std::vector<std::unique_ptr<Entry>> entries_;
  std::map<std::string, Entry*, std::less<>> by_name_;
  std::multimap<PointerKey, Entry*> by_pointer_;
};

// Not destroyed at exit: threads may still use it.
SABIR_LOCAL inline Registry& registry() {
  static auto* made = new Registry;
  return *made;
}

template <typename Pointer>
struct Named {
  std::string_view name;
  Pointer pointer;
};
template <typename Pointer>
constexpr Named<Pointer> named_entry(std::string_view name, Pointer pointer) {
  return {name, pointer};
}

template <typename... Pointer>
SABIR_LOCAL inline bool register_all(int, Named<Pointer>... entry) {
  (registry().add(entry.name, entry.pointer), ...);
  return true;
}

}  // namespace detail
SABIR_NAMESPACE_END

#define SABIR_INTERNAL_NAMED(unused, function) , ::sabir::detail::named_entry(#function, function)
#define SABIR_INTERNAL_REGISTERED SABIR_INTERNAL_CONCAT(sabir_internal_registered_, __COUNTER__)

// Registers functions and methods under the names they are written with; at namespace scope of one source file:
//   SABIR_REMOTE(plus, geo::area);
//   SABIR_REMOTE(Counter::create, &Counter::add, &Counter::value);
#define SABIR_REMOTE(...)                                        \
  [[maybe_unused]] static const bool SABIR_INTERNAL_REGISTERED = \
      ::sabir::detail::register_all(0 SABIR_INTERNAL_FOR_EACH(SABIR_INTERNAL_NAMED, , __VA_ARGS__))

// Registers one under another name: of overloads, templates, or constructors:
//   SABIR_REMOTE_AS("plus_int", static_cast<int (*)(int, int)>(plus));
//   SABIR_REMOTE_AS("Counter", sabir::construct<Counter, int>);
#define SABIR_REMOTE_AS(name, ...)                               \
  [[maybe_unused]] static const bool SABIR_INTERNAL_REGISTERED = \
      ::sabir::detail::register_all(0, ::sabir::detail::named_entry(name, __VA_ARGS__))

#endif  // SABIR_REGISTRY_HPP_
