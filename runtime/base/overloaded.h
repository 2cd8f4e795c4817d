// One visitor out of several functions: std::visit(Overloaded{[](A&) {...}, [](B&) {...}}, variant).
#pragma once

namespace sabir {

template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <typename... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

}  // namespace sabir
