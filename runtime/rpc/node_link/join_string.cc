#include "runtime/rpc/node_link/join_string.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace sabir::node_link {

namespace {

constexpr std::string_view kScheme = "sabir://";
constexpr std::string_view kInsecure = "insecure";
constexpr size_t kMaxHostBytes = 253;
constexpr std::string_view kForm = "; it has the form sabir://HOST:PORT#TOKEN#FINGERPRINT";

// `offset` counts from 0.
Error wrong_at(size_t offset, const std::string& what) {
  return invalid_error("at character " + std::to_string(offset + 1) + ": " + what);
}

std::string quoted(std::string_view text) {
  constexpr size_t kMaxShownBytes = 64;
  std::string shown = "\"";
  for (char character : text.substr(0, kMaxShownBytes)) {
    bool printable = character >= ' ' && character <= '~';
    shown += printable ? character : '?';
  }
  return shown + (text.size() > kMaxShownBytes ? "...\"" : "\"");
}

bool is_name_character(char character) {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
         (character >= '0' && character <= '9') || character == '-' || character == '.' || character == '_';
}

bool is_ipv6(std::string_view host) {
  std::string address(host.substr(0, host.find('%')));
  in6_addr parsed;
  return inet_pton(AF_INET6, address.c_str(), &parsed) == 1;
}

// Four numbers, or what looks like them: no host name ends with a number.
bool looks_like_ipv4(std::string_view host) {
  size_t dot = host.rfind('.');
  std::string_view last = dot == std::string_view::npos ? host : host.substr(dot + 1);
  return !last.empty() && std::all_of(last.begin(), last.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Result<void> check_host(std::string_view host, size_t at) {
  if (host.empty()) {
    return wrong_at(at, "a host is missing");
  }
  if (host.size() > kMaxHostBytes) {
    return wrong_at(at, "a host name has at most 253 characters");
  }
  for (size_t i = 0; i < host.size(); ++i) {
    if (!is_name_character(host[i])) {
      return wrong_at(at + i, "a host name has no character like " + quoted(host.substr(i, 1)));
    }
  }
  in_addr parsed;
  if (looks_like_ipv4(host) && inet_pton(AF_INET, std::string(host).c_str(), &parsed) != 1) {
    return wrong_at(at, quoted(host) + " is no IPv4 address");
  }
  return {};
}

Result<uint16_t> parse_port(std::string_view text, size_t at) {
  uint32_t port = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0 || port > UINT16_MAX) {
    return wrong_at(at, "the port is a number from 1 to 65535, not " + quoted(text));
  }
  return static_cast<uint16_t>(port);
}

// `start` is the place of `text` in what the user wrote.
Result<HostPort> parse_address(std::string_view text, size_t start) {
  HostPort address;
  size_t colon = 0;
  if (text.starts_with('[')) {
    size_t close = text.find(']');
    if (close == std::string_view::npos) {
      return wrong_at(start, "this [ has no ]");
    }
    std::string_view host = text.substr(1, close - 1);
    if (!is_ipv6(host)) {
      return wrong_at(start + 1, quoted(host) + " is no IPv6 address");
    }
    address.host = host;
    colon = close + 1;
    if (colon >= text.size() || text[colon] != ':') {
      return wrong_at(start + colon, "a colon and the port are missing after the address");
    }
  } else {
    colon = text.find(':');
    if (colon == std::string_view::npos) {
      return wrong_at(start + text.size(), "a colon and the port are missing after the host");
    }
    if (text.find(':', colon + 1) != std::string_view::npos) {
      return wrong_at(start, "an IPv6 address stands in brackets: [::1]:6380");
    }
    SABIR_RETURN_IF_ERROR(check_host(text.substr(0, colon), start));
    address.host = text.substr(0, colon);
  }
  SABIR_ASSIGN_OR_RETURN(address.port, parse_port(text.substr(colon + 1), start + colon + 1));
  return address;
}

Result<JoinString> parse_parts(std::string_view text, size_t start) {
  if (!text.starts_with(kScheme)) {
    return wrong_at(start, "it starts with sabir://");
  }
  size_t address_at = kScheme.size();
  size_t first = text.find('#', address_at);
  if (first == std::string_view::npos) {
    return wrong_at(start + text.size(), "#TOKEN#FINGERPRINT is missing after the address");
  }
  JoinString join;
  SABIR_ASSIGN_OR_RETURN(join.address, parse_address(text.substr(address_at, first - address_at), start + address_at));
  size_t second = text.find('#', first + 1);
  if (second == std::string_view::npos) {
    return wrong_at(start + text.size(),
                    "#FINGERPRINT is missing after the token (in a shell, put the string in quotes)");
  }
  std::string_view token_text = text.substr(first + 1, second - first - 1);
  std::optional<Token> token = Token::from_text(token_text);
  if (!token) {
    return wrong_at(start + first + 1, "the token has 43 characters of a-z, A-Z, 0-9, - and _; here are " +
                                           std::to_string(token_text.size()) + " that are no token");
  }
  join.token = *token;
  std::string_view last = text.substr(second + 1);
  if (last != kInsecure) {
    join.fingerprint = Fingerprint::from_hex(last);
    if (!join.fingerprint) {
      return wrong_at(start + second + 1, "the fingerprint has 64 hex digits, or is the word insecure; here are " +
                                              std::to_string(last.size()) + " characters that are neither");
    }
  }
  return join;
}

}  // namespace

Result<HostPort> HostPort::parse(std::string_view text) {
  Result<HostPort> address = parse_address(text, 0);
  if (!address.ok()) {
    return std::move(address).error().with_context("address");
  }
  return address;
}

std::string HostPort::text() const {
  bool ipv6 = host.find(':') != std::string::npos;
  return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<JoinString> JoinString::parse(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  size_t start = std::min(text.find_first_not_of(kSpace), text.size());
  size_t end = text.find_last_not_of(kSpace);
  std::string_view trimmed = text.substr(start, end == std::string_view::npos ? 0 : end + 1 - start);
  Result<JoinString> join = parse_parts(trimmed, start);
  if (!join.ok()) {
    return invalid_error("join string: " + join.error().message() + std::string(kForm));
  }
  return join;
}

std::string JoinString::text() const {
  return std::string(kScheme) + address.text() + "#" + token.text() + "#" +
         (fingerprint ? fingerprint->hex() : std::string(kInsecure));
}

}  // namespace sabir::node_link
