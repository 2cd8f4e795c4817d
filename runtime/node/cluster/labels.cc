#include "runtime/node/cluster/labels.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace sabir::cluster {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') {
    text.remove_prefix(1);
  }
  while (!text.empty() && text.back() == ' ') {
    text.remove_suffix(1);
  }
  return text;
}

// What stands between "NAME(" and ")".
std::optional<std::string_view> inside(std::string_view text, std::string_view name) {
  if (text.size() < name.size() + 2 || !text.starts_with(name) || text[name.size()] != '(' || text.back() != ')') {
    return std::nullopt;
  }
  return text.substr(name.size() + 1, text.size() - name.size() - 2);
}

std::string list(const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& value : values) {
    text += (text.empty() ? "" : ", ") + value;
  }
  return text;
}

}  // namespace

Result<void> check_labels(const Labels& labels) {
  if (labels.size() > kMaxLabels) {
    return invalid_error("more than " + std::to_string(kMaxLabels) + " labels");
  }
  for (const auto& [key, value] : labels) {
    if (key.empty() || key.size() > kMaxLabelBytes || value.size() > kMaxLabelBytes) {
      return invalid_error("a label has a key of 1 to " + std::to_string(kMaxLabelBytes) +
                           " bytes and a value of up to " + std::to_string(kMaxLabelBytes));
    }
  }
  return {};
}

Result<Labels> parse_labels(const std::vector<std::string>& texts) {
  Labels labels;
  for (const std::string& text : texts) {
    size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return invalid_error("a label is KEY=VALUE, not \"" + text + "\"");
    }
    std::string key = text.substr(0, equals);
    std::string value = text.substr(equals + 1);
    if (key.starts_with(kOwnLabelPrefix)) {
      return invalid_error("label " + key + ": those that begin with " + std::string(kOwnLabelPrefix) +
                           " are given by sabird");
    }
    if (value.find_first_of("(),!") != std::string::npos) {
      return invalid_error("no selector can name the value of label " + text);
    }
    if (!labels.try_emplace(std::move(key), std::move(value)).second) {
      return invalid_error("label " + text.substr(0, equals) + " is given twice");
    }
  }
  SABIR_RETURN_IF_ERROR(check_labels(labels));
  if (labels.size() + 2 > kMaxLabels) {
    return invalid_error("more than " + std::to_string(kMaxLabels - 2) + " labels");
  }
  return labels;
}

Result<void> check_selector(const LabelSelector& selector) {
  if (selector.size() > kMaxSelectorTerms) {
    return invalid_error("a label selector has more than " + std::to_string(kMaxSelectorTerms) + " terms");
  }
  for (const LabelTerm& term : selector) {
    bool needs_values = term.op == LabelTerm::Op::kIn || term.op == LabelTerm::Op::kNotIn;
    bool too_long = std::any_of(term.values.begin(), term.values.end(),
                                [](const std::string& value) { return value.size() > kMaxLabelBytes; });
    if (term.key.empty() || term.key.size() > kMaxLabelBytes || too_long || term.op > LabelTerm::Op::kAbsent ||
        term.values.size() > kMaxSelectorValues || term.values.empty() == needs_values) {
      return invalid_error("not a term of a label selector: key '" + term.key.substr(0, kMaxLabelBytes) + "' with " +
                           std::to_string(term.values.size()) + " values");
    }
  }
  return {};
}

Result<LabelTerm> parse_label_term(std::string_view key, std::string_view text) {
  LabelTerm term{.key = std::string(key)};
  std::string_view rest = trimmed(text);
  bool negated = rest.starts_with('!');
  if (negated) {
    rest = trimmed(rest.substr(1));
  }
  if (auto nothing = inside(rest, "exists"); nothing && trimmed(*nothing).empty()) {
    term.op = negated ? LabelTerm::Op::kAbsent : LabelTerm::Op::kExists;
  } else {
    term.op = negated ? LabelTerm::Op::kNotIn : LabelTerm::Op::kIn;
    std::optional<std::string_view> several = inside(rest, "in");
    for (std::string_view left = several.value_or(rest);;) {
      size_t comma = several ? left.find(',') : std::string_view::npos;
      term.values.emplace_back(trimmed(left.substr(0, comma)));
      if (term.values.back().find_first_of("(),!") != std::string::npos || (several && term.values.back().empty()) ||
          term.values.size() > kMaxSelectorValues) {
        return invalid_error("label " + term.key + ": '" + std::string(text.substr(0, kMaxLabelBytes)) +
                             "' is none of: value, !value, in(a, b), !in(a, b), exists(), !exists()");
      }
      if (comma == std::string_view::npos) {
        break;
      }
      left.remove_prefix(comma + 1);
    }
  }
  SABIR_RETURN_IF_ERROR(check_selector({term}));
  return term;
}

std::string label_text(const LabelTerm& term) {
  bool negated = term.op == LabelTerm::Op::kNotIn || term.op == LabelTerm::Op::kAbsent;
  std::string text = negated ? "!" : "";
  if (term.op == LabelTerm::Op::kExists || term.op == LabelTerm::Op::kAbsent) {
    return text + "exists()";
  }
  return term.values.size() == 1 ? text + term.values[0] : text + "in(" + list(term.values) + ")";
}

bool matches(const LabelTerm& term, const Labels& labels) {
  auto found = labels.find(term.key);
  bool there = found != labels.end();
  switch (term.op) {
    case LabelTerm::Op::kExists:
      return there;
    case LabelTerm::Op::kAbsent:
      return !there;
    case LabelTerm::Op::kIn:
      return there && std::find(term.values.begin(), term.values.end(), found->second) != term.values.end();
    case LabelTerm::Op::kNotIn:
      return !there || std::find(term.values.begin(), term.values.end(), found->second) == term.values.end();
  }
  return false;
}

bool matches(const LabelSelector& selector, const Labels& labels) {
  return std::all_of(selector.begin(), selector.end(), [&](const LabelTerm& term) { return matches(term, labels); });
}

std::string describe(const LabelTerm& term) {
  switch (term.op) {
    case LabelTerm::Op::kExists:
      return term.key + " exists";
    case LabelTerm::Op::kAbsent:
      return term.key + " does not exist";
    case LabelTerm::Op::kIn:
      return term.values.size() == 1 ? term.key + " = " + term.values[0] : term.key + " in (" + list(term.values) + ")";
    case LabelTerm::Op::kNotIn:
      return term.values.size() == 1 ? term.key + " != " + term.values[0]
                                     : term.key + " not in (" + list(term.values) + ")";
  }
  return term.key;
}

std::string describe(const LabelSelector& selector) {
  std::string text;
  for (const LabelTerm& term : selector) {
    text += (text.empty() ? "" : " and ") + describe(term);
  }
  return text;
}

}  // namespace sabir::cluster
