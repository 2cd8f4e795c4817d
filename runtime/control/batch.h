// A batch of changes to tables: what a storage commits as one.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sabir::control {

class Batch {
 public:
  struct Write {
    std::string table;
    std::string key;
    std::optional<std::string> value;  // none: the row goes
    bool operator==(const Write&) const = default;
  };

  Batch& put(std::string_view table, std::string_view key, std::string_view value) {
    return add({std::string(table), std::string(key), std::string(value)});
  }
  // Of nothing: fine.
  Batch& erase(std::string_view table, std::string_view key) {
    return add({std::string(table), std::string(key), std::nullopt});
  }
  Batch& add(Write write);
  // Later writes win over earlier ones.
  void append(const Batch& later);

  // In the order they were made.
  const std::vector<Write>& writes() const { return writes_; }
  bool empty() const { return writes_.empty(); }
  // Of tables' names, keys and values.
  size_t size_bytes() const { return size_bytes_; }

 private:
  std::vector<Write> writes_;
  size_t size_bytes_ = 0;
};

}  // namespace sabir::control
