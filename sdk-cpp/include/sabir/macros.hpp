// A macro for each of up to 32 arguments.
#ifndef SABIR_MACROS_HPP_
#define SABIR_MACROS_HPP_

#include <tuple>

#include "sabir/config.hpp"

SABIR_NAMESPACE_BEGIN
namespace detail {

// A list of macro results begins with its comma: with something before it, it is a list of arguments.
template <typename... T>
constexpr std::tuple<T...> without_first(int, T... rest) {
  return {rest...};
}

}  // namespace detail
SABIR_NAMESPACE_END

// clang-format off
#define SABIR_INTERNAL_COUNT(...) \
  SABIR_INTERNAL_COUNT_(__VA_ARGS__, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, \
                        12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define SABIR_INTERNAL_COUNT_(_1, _2, _3, _4, _5, _6, _7, _8, _9, _10, _11, _12, _13, _14, _15, _16, _17, _18, _19, \
                              _20, _21, _22, _23, _24, _25, _26, _27, _28, _29, _30, _31, _32, count, ...) count
#define SABIR_INTERNAL_CONCAT(a, b) SABIR_INTERNAL_CONCAT_(a, b)
#define SABIR_INTERNAL_CONCAT_(a, b) a##b

// SABIR_INTERNAL_FOR_EACH(M, context, a, b): M(context, a) M(context, b)
#define SABIR_INTERNAL_FOR_EACH(M, c, ...) \
  SABIR_INTERNAL_CONCAT(SABIR_INTERNAL_EACH_, SABIR_INTERNAL_COUNT(__VA_ARGS__))(M, c, __VA_ARGS__)
#define SABIR_INTERNAL_EACH_1(M, c, a) M(c, a)
#define SABIR_INTERNAL_EACH_2(M, c, a, ...) M(c, a) SABIR_INTERNAL_EACH_1(M, c, __VA_ARGS__)
#define SABIR_INTERNAL_EACH_3(M, c, a, ...) M(c, a) SABIR_INTERNAL_EACH_2(M, c, __VA_ARGS__)
#define SABIR_INTERNAL_EACH_4(M, c, a, ...) M(c, a) SABIR_INTERNAL_EACH_3(M, c, __VA_ARGS__)
#define SABIR_INTERNAL_EACH_5(M, c, a, ...) M(c, a) SABIR_INTERNAL_EACH_4(M, c, __VA_ARGS__)
#define SABIR_INTERNAL_EACH_6(M, c, a, ...) M(c, a) SABIR_INTERNAL_EACH_5(M, c, __VA_ARGS__)
#define SABIR_INTERNAL_EACH_7(M, c, a, ...) M(c, a) SABIR_INTERNAL_EACH_6(M, c, __VA_ARGS__)
#define SABIR_INTERNAL_EACH_8(M, c, a, ...) M(c, a) SABIR_INTERNAL_EACH_7(M, c, __VA_ARGS__)
#define SABIR_INTERNAL_EACH_9(M, c, a, ...) M(c, a) SABIR_INTERNAL_EACH_8(M, c, __VA_ARGS__)
#define SABIR_INTERNAL_EACH_10(M, c, a, ...) M(c, a) SABIR_INTERNAL_EACH_9(M, c, __VA_ARGS__)
#define SABIR_INTERNAL_EACH_11(M, c, a, ...) M(c, a) SABIR_INTERNAL_EACH_10(M, c, __VA_ARGS__)
#define SABIR_INTERNAL_EACH_12(M, c, a, ...) M(c, a) SABIR_INTERNAL_EACH_11(M, c, __VA_ARGS__)
#define SABIR_INTERNAL_EACH_13(M, c, a, ...) M(c, a) SABIR_INTERNAL_EACH_12(M, c, __VA_ARGS__)
#define SABIR_INTERNAL_EACH_14(M, c, a, ...) M(c, a) SABIR_INTERNAL_EACH_13(M, c, __VA_ARGS__)
#define SABIR_INTERNAL_EACH_15(M, c, a, ...) M(c, a) SABIR_INTERNAL_EACH_14(M, c, __VA_ARGS__)
#define SABIR_INTERNAL_EACH_16(M, c, a, ...) M(c, a) SABIR_INTERNAL_EACH_15(M, c, __VA_ARGS__)
#define SABIR_INTERNAL_EACH_17(M, c, a, ...) M(c, a) SABIR_INTERNAL_EACH_16(M, c, __VA_ARGS__)
#define SABIR_INTERNAL_EACH_18(M, c, a, ...) M(c, a) SABIR_INTERNAL_EACH_17(M, c, __VA_ARGS__)
#define SABIR_INTERNAL_EACH_19(M, c, a, ...) M(c, a) SABIR_INTERNAL_EACH_18(M, c, __VA_ARGS__)
#define SABIR_INTERNAL_EACH_20(M, c, a, ...) M(c, a) SABIR_INTERNAL_EACH_19(M, c, __VA_ARGS__)
#define SABIR_INTERNAL_EACH_21(M, c, a, ...) M(c, a) SABIR_INTERNAL_EACH_20(M, c, __VA_ARGS__)
#define SABIR_INTERNAL_EACH_22(M, c, a, ...) M(c, a) SABIR_INTERNAL_EACH_21(M, c, __VA_ARGS__)
#define SABIR_INTERNAL_EACH_23(M, c, a, ...) M(c, a) SABIR_INTERNAL_EACH_22(M, c, __VA_ARGS__)
#define SABIR_INTERNAL_EACH_24(M, c, a, ...) M(c, a) SABIR_INTERNAL_EACH_23(M, c, __VA_ARGS__)
#define SABIR_INTERNAL_EACH_25(M, c, a, ...) M(c, a) SABIR_INTERNAL_EACH_24(M, c, __VA_ARGS__)
#define SABIR_INTERNAL_EACH_26(M, c, a, ...) M(c, a) SABIR_INTERNAL_EACH_25(M, c, __VA_ARGS__)
#define SABIR_INTERNAL_EACH_27(M, c, a, ...) M(c, a) SABIR_INTERNAL_EACH_26(M, c, __VA_ARGS__)
#define SABIR_INTERNAL_EACH_28(M, c, a, ...) M(c, a) SABIR_INTERNAL_EACH_27(M, c, __VA_ARGS__)
#define SABIR_INTERNAL_EACH_29(M, c, a, ...) M(c, a) SABIR_INTERNAL_EACH_28(M, c, __VA_ARGS__)
#define SABIR_INTERNAL_EACH_30(M, c, a, ...) M(c, a) SABIR_INTERNAL_EACH_29(M, c, __VA_ARGS__)
#define SABIR_INTERNAL_EACH_31(M, c, a, ...) M(c, a) SABIR_INTERNAL_EACH_30(M, c, __VA_ARGS__)
#define SABIR_INTERNAL_EACH_32(M, c, a, ...) M(c, a) SABIR_INTERNAL_EACH_31(M, c, __VA_ARGS__)
// clang-format on

#endif  // SABIR_MACROS_HPP_
