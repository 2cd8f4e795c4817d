#include <cstring>

#include "runtime/table/testing/made.h"

namespace sabir::table::testing {
namespace {

constexpr int64_t kItems = 6;
constexpr uint8_t kSomeValid = 0x2d;  // items 1 and 4 are null

using Bytes = std::shared_ptr<std::vector<uint8_t>>;

Bytes some_valid() { return bytes_of<uint8_t>({kSomeValid}); }

Made with_nulls(std::string format, std::vector<Bytes> buffers, std::vector<Made> children = {}) {
  buffers.insert(buffers.begin(), some_valid());
  return {.format = std::move(format),
          .length = kItems,
          .null_count = 2,
          .buffers = std::move(buffers),
          .children = std::move(children)};
}

Made fixed(const std::string& format, size_t width_bytes) {
  std::vector<uint8_t> items(static_cast<size_t>(kItems) * width_bytes);
  for (size_t i = 0; i < items.size(); ++i) {
    items[i] = static_cast<uint8_t>(i * 7 + 1);
  }
  return with_nulls(format, {bytes_of(items)});
}

// Numbers 0 to count, without nulls.
Made counting(int64_t count) {
  std::vector<int32_t> items;
  for (int32_t i = 0; i < count; ++i) {
    items.push_back(i * 10);
  }
  return {.format = "i", .length = count, .buffers = {nullptr, bytes_of(items)}};
}

template <typename T>
Made binary(const std::string& format) {
  return with_nulls(format, {bytes_of<T>({2, 3, 3, 5, 8, 8, 11}), text_bytes("xxabcdefghiyy")});
}

template <typename T>
Made list(const std::string& format) {
  return with_nulls(format, {bytes_of<T>({1, 3, 3, 4, 6, 6, 9})}, {counting(10)});
}

template <typename T>
Made list_view(const std::string& format) {
  return with_nulls(format, {bytes_of<T>({4, 0, 2, 2, 0, 7}), bytes_of<T>({3, 0, 2, 5, 0, 1})}, {counting(8)});
}

Made views(const std::string& format) {
  std::vector<int32_t> views(static_cast<size_t>(kItems) * 4);
  auto put = [&](size_t item, const std::string& text, int32_t buffer, int32_t offset) {
    views[item * 4] = static_cast<int32_t>(text.size());
    if (text.size() <= 12) {
      std::memcpy(&views[item * 4 + 1], text.data(), text.size());
    } else {
      std::memcpy(&views[item * 4 + 1], text.data(), 4);
      views[item * 4 + 2] = buffer;
      views[item * 4 + 3] = offset;
    }
  };
  put(0, "short", 0, 0);
  put(1, "this one is null and points far away", 99, 99);
  put(2, "twelve bytes", 0, 0);
  put(3, "longer than twelve", 0, 2);
  put(5, "in the second buffer", 1, 0);
  Made made = with_nulls(format, {bytes_of(views), text_bytes("..longer than twelve"),
                                  text_bytes("in the second buffer"), bytes_of<int64_t>({20, 20})});
  return made;
}

Made map() {
  Made keys{.format = "u",
            .length = 9,
            .buffers = {nullptr, bytes_of<int32_t>({0, 1, 2, 3, 4, 5, 6, 7, 8, 9}), text_bytes("abcdefghi")}};
  Made entries{.format = "+s", .length = 9, .buffers = {nullptr}, .children = {keys, counting(9)}, .flags = 0};
  return with_nulls("+m", {bytes_of<int32_t>({1, 3, 3, 4, 6, 6, 9})}, {entries});
}

Made dictionary() {
  Made made = with_nulls("c", {bytes_of<int8_t>({2, 0, 1, 0, 0, 2})});
  made.dictionary = std::make_shared<Made>(
      Made{.format = "U", .length = 3, .buffers = {nullptr, bytes_of<int64_t>({0, 3, 3, 8}), text_bytes("onethree")}});
  made.flags |= ARROW_FLAG_DICTIONARY_ORDERED;
  return made;
}

}  // namespace

std::vector<Made> all_layouts() {
  std::vector<Made> made;
  made.push_back({.format = "n", .length = kItems, .null_count = kItems});
  made.push_back(with_nulls("b", {bytes_of<uint8_t>({0x1b})}));
  for (const char* format : {"c", "C"}) {
    made.push_back(fixed(format, 1));
  }
  for (const char* format : {"s", "S", "e"}) {
    made.push_back(fixed(format, 2));
  }
  for (const char* format : {"i", "I", "f", "tdD", "tts", "ttm", "tiM", "d:9,2,32"}) {
    made.push_back(fixed(format, 4));
  }
  for (const char* format : {"l", "L", "g", "tdm", "ttu", "ttn", "tss:", "tsm:UTC", "tsu:Europe/Paris", "tsn:", "tDs",
                             "tDm", "tDu", "tDn", "tiD", "d:18,2,64"}) {
    made.push_back(fixed(format, 8));
  }
  for (const char* format : {"d:19,10", "d:38,0,128", "tin"}) {
    made.push_back(fixed(format, 16));
  }
  made.push_back(fixed("d:60,-3,256", 32));
  made.push_back(fixed("w:3", 3));
  made.push_back(fixed("w:0", 0));
  made.push_back(binary<int32_t>("z"));
  made.push_back(binary<int32_t>("u"));
  made.push_back(binary<int64_t>("Z"));
  made.push_back(binary<int64_t>("U"));
  made.push_back(views("vz"));
  made.push_back(views("vu"));
  made.push_back(list<int32_t>("+l"));
  made.push_back(list<int64_t>("+L"));
  made.push_back(list_view<int32_t>("+vl"));
  made.push_back(list_view<int64_t>("+vL"));
  made.push_back(with_nulls("+w:2", {}, {counting(12)}));
  made.push_back(with_nulls("+s", {}, {counting(kItems), binary<int32_t>("u")}));
  made.push_back(map());
  made.push_back({.format = "+us:5,7",
                  .length = kItems,
                  .buffers = {bytes_of<int8_t>({5, 7, 7, 5, 5, 7})},
                  .children = {counting(kItems), binary<int32_t>("u")}});
  made.push_back({.format = "+ud:3,0",
                  .length = kItems,
                  .buffers = {bytes_of<int8_t>({3, 0, 0, 3, 0, 3}), bytes_of<int32_t>({0, 0, 2, 1, 5, 2})},
                  .children = {counting(3), binary<int64_t>("U")}});
  made.push_back({.format = "+r",
                  .length = kItems,
                  .children = {{.format = "s", .length = 3, .buffers = {nullptr, bytes_of<int16_t>({2, 3, 6})}},
                               with_nulls("l", {bytes_of<int64_t>({4, 5, 6, 7, 8, 9})})}});
  made.push_back(dictionary());
  return made;
}

}  // namespace sabir::table::testing
