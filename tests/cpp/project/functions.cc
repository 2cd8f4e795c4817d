#include <sabir/sabir.hpp>

std::string greet(std::string_view whom) { return "hello " + std::string(whom); }
SABIR_REMOTE(greet);
