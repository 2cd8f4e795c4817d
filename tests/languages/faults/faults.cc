// C++ code that does not end well: functions, and an actor with the same.
#include <sabir/sabir.hpp>
#include <stdexcept>
#include <string>

namespace faults {

struct Odd {};
struct Quiet : std::exception {
  const char* what() const noexcept override { return nullptr; }
};

std::string fail(const std::string& how) {
  if (how == "int") {
    throw 42;
  }
  if (how == "struct") {
    throw Odd();
  }
  if (how == "quiet") {
    throw Quiet();
  }
  if (how == "segfault") {
    int* volatile nowhere = nullptr;
    *nowhere = 1;
  }
  if (how == "abort") {
    std::abort();
  }
  if (how == "terminate") {
    []() noexcept { fail("int"); }();  // the compiler would warn of a throw here
  }
  if (how == "huge") {
    throw std::runtime_error("begin" + std::string(64 << 20, 'x') + "end");
  }
  if (how == "bytes in the message") {
    throw std::runtime_error("half \xff of it");
  }
  if (how == "bytes in the result") {
    return "half \xff of it";
  }
  throw std::invalid_argument(how);
}

class Faulty {
 public:
  static Faulty create() { return {}; }
  std::string failing(const std::string& how) { return fail(how); }
};

int64_t add(int64_t a, int64_t b) { return a + b; }
std::string repeated(const std::string& text, int64_t times) {
  std::string out;
  for (int64_t i = 0; i < times; ++i) {
    out += text;
  }
  return out;
}
int64_t length(const std::string& text) { return static_cast<int64_t>(text.size()); }
int64_t twice() { return 1; }

}  // namespace faults

SABIR_REMOTE_AS("fail", faults::fail);
SABIR_REMOTE_AS("add", faults::add);
SABIR_REMOTE_AS("repeated", faults::repeated);
SABIR_REMOTE_AS("length", faults::length);
SABIR_REMOTE_AS("twice", faults::twice);
SABIR_REMOTE_AS("Faulty", faults::Faulty::create);
SABIR_REMOTE_AS("failing", &faults::Faulty::failing);
