// tests/vectors/tables.jsonl: tables of all layouts, read and written again as the same bytes; bytes that are refused.
#include <gtest/gtest.h>

#include <fstream>

#include "encoded.hpp"
#include "sabir/table.hpp"

namespace sabir_test {
namespace {

constexpr uint8_t kTable = 3;
constexpr size_t kHeadBytes = 16;

// What stands behind `"key": ` in a line of the file, up to one of `ends`.
std::string field(const std::string& line, const std::string& key, const char* ends) {
  std::string label = "\"" + key + "\": ";
  size_t at = line.find(label);
  if (at == std::string::npos) {
    return "";
  }
  at += label.size();
  at += line[at] == '"' ? 1 : 0;
  return line.substr(at, line.find_first_of(ends, at) - at);
}

std::vector<uint8_t> bytes_of(const std::string& hex) {
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

// The origin is the writer's own: the file's is pyarrow's.
std::vector<uint8_t> without_origin(std::vector<uint8_t> bytes) {
  uint32_t buffer_count = 0;
  std::memcpy(&buffer_count, bytes.data() + sizeof(uint64_t), sizeof(buffer_count));
  std::memset(bytes.data() + kHeadBytes + buffer_count * sizeof(uint64_t), 0, sizeof(uint32_t));
  return bytes;
}

TEST(TableVectors, AreReadAndWrittenAlikeOrRefused) {
  std::ifstream file("tests/vectors/tables.jsonl");
  int good = 0;
  int refused = 0;
  for (std::string line; std::getline(file, line);) {
    SCOPED_TRACE(field(line, "name", "\""));
    Encoded encoded(SABIR_NEUTRAL, kTable, bytes_of(field(line, "hex", "\"")));
    if (field(line, "error", ",}") == "true") {
      EXPECT_NE(encoded.error<sabir::Table>(), "");
      ++refused;
      continue;
    }
    auto table = encoded.as<sabir::Table>();
    EXPECT_EQ(table.num_rows(), std::stoll(field(line, "rows", ",}")));
    EXPECT_EQ(Encoded::of(table).bytes(), encoded.bytes());  // handed on as it came
    ArrowArrayStream stream{};
    table.to(&stream);
    Encoded again = Encoded::of(sabir::Table::from(&stream));
    EXPECT_EQ(without_origin(again.bytes()), without_origin(encoded.bytes()));
    ++good;
  }
  EXPECT_GT(good, 50);
  EXPECT_GT(refused, 20);
}

}  // namespace
}  // namespace sabir_test
