// Where the control store keeps what must outlive a restart: ordered tables of byte strings.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "runtime/base/result.h"

namespace sabir::control {

// One thread. put and erase are durable when they return; an error leaves the table as it was.
class Storage {
 public:
  Storage() = default;
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;
  virtual ~Storage() = default;

  virtual Result<void> put(std::string_view table, std::string_view key, std::string_view value) = 0;
  virtual Result<void> erase(std::string_view table, std::string_view key) = 0;             // of nothing: fine
  virtual Result<std::string> get(std::string_view table, std::string_view key) const = 0;  // kNotFound
  // In order of keys.
  virtual Result<void> scan(std::string_view table,
                            const std::function<void(std::string_view key, std::string_view value)>& visit) const = 0;
};

// Outlives nothing: for one machine, and for tests.
class MemoryStorage final : public Storage {
 public:
  Result<void> put(std::string_view table, std::string_view key, std::string_view value) override;
  Result<void> erase(std::string_view table, std::string_view key) override;
  Result<std::string> get(std::string_view table, std::string_view key) const override;
  Result<void> scan(std::string_view table,
                    const std::function<void(std::string_view, std::string_view)>& visit) const override;

 private:
  using Table = std::map<std::string, std::string, std::less<>>;
  std::map<std::string, Table, std::less<>> tables_;
};

}  // namespace sabir::control
