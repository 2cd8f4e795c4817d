// Labels of nodes, and what a call or bundle asks of them.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"

namespace sabir::cluster {

using Labels = std::map<std::string, std::string, std::less<>>;

inline constexpr size_t kMaxLabels = 64;            // of one node
inline constexpr size_t kMaxLabelBytes = 128;       // of a key, of a value
inline constexpr size_t kMaxSelectorTerms = 16;     // of one selector
inline constexpr size_t kMaxSelectorValues = 64;    // of one term
inline constexpr size_t kMaxFallbackSelectors = 8;  // of one call

// Those that every node has; users give no others with this prefix.
inline constexpr std::string_view kOwnLabelPrefix = "sabir.io/";
inline constexpr std::string_view kNodeIdLabel = "sabir.io/node-id";
inline constexpr std::string_view kNodeNameLabel = "sabir.io/node-name";

// kInvalid: a bound is broken, or a key is empty.
Result<void> check_labels(const Labels& labels);

// What users give a node: "KEY=VALUE" each. kInvalid: no such text, a key twice or of ours, or a bound is broken.
Result<Labels> parse_labels(const std::vector<std::string>& texts);

struct LabelTerm {
  enum class Op : uint8_t {
    kIn,      // the label is there and has one of the values
    kNotIn,   // it is not there, or has another value
    kExists,  // it is there
    kAbsent,  // it is not
  };
  std::string key;
  Op op = Op::kIn;
  std::vector<std::string> values = {};  // of kIn and kNotIn
  bool operator==(const LabelTerm&) const = default;
};

// All terms hold; so an empty one takes every node.
using LabelSelector = std::vector<LabelTerm>;

// The text that users write: "eu", "!eu", "in(eu, us)", "!in(eu, us)", "exists()", "!exists()". kInvalid: anything
// else, or a bound is broken.
Result<LabelTerm> parse_label_term(std::string_view key, std::string_view text);
// The text that it can be parsed from.
std::string label_text(const LabelTerm& term);
// kInvalid: a bound is broken, values are missing or superfluous.
Result<void> check_selector(const LabelSelector& selector);

bool matches(const LabelTerm& term, const Labels& labels);
bool matches(const LabelSelector& selector, const Labels& labels);

// For people: "zone in (eu, us)".
std::string describe(const LabelTerm& term);
std::string describe(const LabelSelector& selector);

}  // namespace sabir::cluster
