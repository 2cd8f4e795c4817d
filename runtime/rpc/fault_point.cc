#include "runtime/rpc/fault_point.h"

#include <charconv>
#include <memory>
#include <string>
#include <vector>

namespace sabir::rpc {

namespace {

struct Rule {
  std::string method;
  Fault fault;
  int64_t left = -1;  // -1: for ever
};

bool parse_number(std::string_view text, int64_t& number) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number >= 0;
}

// The part of `text` behind the last `separator`, which is cut off; empty if there is none.
std::string_view take_suffix(std::string_view& text, char separator) {
  size_t at = text.rfind(separator);
  if (at == std::string_view::npos) {
    return {};
  }
  std::string_view suffix = text.substr(at + 1);
  text = text.substr(0, at);
  return suffix;
}

Result<Rule> parse_rule(std::string_view text) {
  std::string whole(text);
  Rule rule;
  int64_t milliseconds = 0;
  std::string_view delay = take_suffix(text, ':');
  size_t equals = text.find('=');
  if (equals == std::string_view::npos || (!delay.empty() && !parse_number(delay, milliseconds))) {
    return invalid_error("not a fault rule: " + whole);
  }
  rule.method = text.substr(0, equals);
  std::string_view action = text.substr(equals + 1);
  std::string_view count = take_suffix(action, '*');
  if (!count.empty() && !parse_number(count, rule.left)) {
    return invalid_error("not a count: " + whole);
  }
  rule.fault.delay_ns = milliseconds * 1'000'000;
  if (action == "drop_request") {
    rule.fault.action = FaultAction::kDropRequest;
  } else if (action == "drop_reply") {
    rule.fault.action = FaultAction::kDropReply;
  } else if (action == "delay_reply") {
    rule.fault.action = FaultAction::kDelayReply;
  } else if (action == "close") {
    rule.fault.action = FaultAction::kClose;
  } else {
    return invalid_error("not a fault: " + whole);
  }
  return rule;
}

}  // namespace

Result<FaultPoint> parse_fault_plan(std::string_view plan) {
  auto rules = std::make_shared<std::vector<Rule>>();
  while (!plan.empty()) {
    size_t comma = std::min(plan.find(','), plan.size());
    SABIR_ASSIGN_OR_RETURN(Rule rule, parse_rule(plan.substr(0, comma)));
    rules->push_back(std::move(rule));
    plan.remove_prefix(std::min(comma + 1, plan.size()));
  }
  if (rules->empty()) {
    return FaultPoint();
  }
  return FaultPoint([rules](std::string_view method) {
    for (Rule& rule : *rules) {
      if ((rule.method == "*" || rule.method == method) && rule.left != 0) {
        rule.left -= rule.left > 0 ? 1 : 0;
        return rule.fault;
      }
    }
    return Fault{};
  });
}

}  // namespace sabir::rpc
