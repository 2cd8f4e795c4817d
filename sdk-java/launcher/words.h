// Lists of words: the command of a worker as Java prints it (JSON), and as the cache keeps it.
#ifndef SABIR_SDK_JAVA_LAUNCHER_WORDS_H_
#define SABIR_SDK_JAVA_LAUNCHER_WORDS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sabir_java {

using Words = std::vector<std::string>;

// Null unless `text` is one JSON list of strings, with white space around at most.
std::optional<Words> parse_json(std::string_view text);

// A command with what it was asked for.
std::string write_record(const Words& key, const Words& command);
// The command; null if the record is for another key, of another version, or damaged.
std::optional<Words> read_record(std::string_view bytes, const Words& key);

}  // namespace sabir_java

#endif  // SABIR_SDK_JAVA_LAUNCHER_WORDS_H_
