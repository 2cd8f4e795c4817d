// Calls of functions: sabir::task(plus).remote(1, 2).
#ifndef SABIR_TASK_HPP_
#define SABIR_TASK_HPP_

#include <array>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "sabir/invoke.hpp"
#include "sabir/library.hpp"
#include "sabir/object_ref.hpp"

SABIR_NAMESPACE_BEGIN

// A keyword argument, of functions in Python: named("scale", 2.0).
template <typename T>
struct NamedArgument {
  std::string_view name;
  const T& value;
};
template <typename T>
NamedArgument<T> named(std::string_view name, const T& value) {
  return {name, value};
}

namespace detail {

template <typename T>
using Plain = std::remove_cv_t<std::remove_reference_t<T>>;

// Whether an argument of type A serves for a parameter of type P (both plain). Implicit conversions do, but for those
// that lose something in silence.
template <typename P, typename A>
constexpr bool serves() {
  if constexpr (std::is_same_v<P, A>) {
    return true;
  } else if constexpr (IsObjectRef<P>::value) {
    return false;
  } else if constexpr (std::is_same_v<P, bool>) {
    return false;
  } else if constexpr (std::is_integral_v<P> && std::is_floating_point_v<A>) {
    return false;
  } else {
    return std::is_convertible_v<A, P>;
  }
}

// One argument of a call, encoded; lives until the call is sent.
class SentArgument {
 public:
  // For a parameter of type P (plain), the index-th.
  template <typename P, size_t Index, typename A>
  void set(const A& argument) {
    if constexpr (IsObjectRef<A>::value && !IsObjectRef<P>::value) {
      using T = typename A::Type;
      constexpr bool kServes = !std::is_void_v<T> && (std::is_same_v<T, class Value> || serves<P, T>());
      static_assert(kServes,
                    "sabir: the value of this reference does not fit the function's parameter (see P, Index and A)");
      arg_.ref = argument.handle().get();
    } else {
      constexpr bool kServes = serves<P, std::decay_t<A>>();
      static_assert(kServes, "sabir: this argument does not fit the function's parameter (see P, Index and A)");
      if constexpr (kServes) {
        set_value<P>(argument);
      }
    }
  }
  // For a function whose parameters nobody knows here.
  template <typename A>
  void set_any(const A& argument) {
    if constexpr (IsObjectRef<A>::value) {
      arg_.ref = argument.handle().get();
    } else {
      write_value<Stored<A>>(encoder_, argument);
      arg_.value = encoder_.finish();
    }
  }
  template <typename A>
  void set_any(const NamedArgument<A>& argument) {
    set_any(argument.value);
    arg_.name = string_of(argument.name);
  }

  const sabir_arg& get() const { return arg_; }

 private:
  template <typename P, typename A>
  void set_value(const A& argument) {
    if constexpr (std::is_same_v<P, A>) {
      write_value(encoder_, argument);
    } else if constexpr (std::is_same_v<P, std::string> && std::is_convertible_v<const A&, std::string_view>) {
      write_value(encoder_, std::string_view(argument));
    } else {
      Encoder::Temporaries temporaries(encoder_);
      const P converted = argument;
      write_value(encoder_, converted);
    }
    arg_.value = encoder_.finish();
  }

  Encoder encoder_;
  sabir_arg arg_{};
};

// All arguments of a call, as the C interface takes them.
template <size_t N>
class SentArguments {
 public:
  template <typename... P, typename... A>
  static void send(std::tuple<P...>*, sabir_ref** out, const A&... argument);

  SentArgument& operator[](size_t index) { return arguments_[index]; }
  const sabir_arg* data() {
    for (size_t i = 0; i < N; ++i) {
      raw_[i] = arguments_[i].get();
    }
    return raw_.data();
  }
  static constexpr size_t size() { return N; }

 private:
  std::array<SentArgument, N> arguments_;
  std::array<sabir_arg, N> raw_;
};

// The parameters of a function: their types, or (AnyParameters) nobody knows.
template <typename... P>
struct Parameters {
  template <typename... A>
  static void encode(SentArguments<sizeof...(A)>& out, const A&... argument) {
    static_assert(sizeof...(A) == sizeof...(P), "sabir: the function takes another number of arguments (see P and A)");
    if constexpr (sizeof...(A) == sizeof...(P)) {
      encode_each(out, std::index_sequence_for<P...>(), argument...);
    }
  }

 private:
  template <size_t... I, typename... A>
  static void encode_each(SentArguments<sizeof...(A)>& out, std::index_sequence<I...>, const A&... argument) {
    (out[I].template set<Plain<P>, I>(argument), ...);
  }
};
struct AnyParameters {
  template <typename... A>
  static void encode(SentArguments<sizeof...(A)>& out, const A&... argument) {
    size_t index = 0;
    (out[index++].set_any(argument), ...);
  }
};

template <typename R>
ObjectRef<R> adopt(sabir_ref* ref) {
  return ObjectRef<R>(RefHandle(ref));
}
template <typename Tuple, size_t... I>
auto adopt_each(sabir_ref* const* refs, std::index_sequence<I...>) {
  return std::make_tuple(adopt<std::tuple_element_t<I, Tuple>>(refs[I])...);
}

// A function with options, whose tuple arrives as a reference for each item.
template <typename R, typename Signature>
class SplitFunction {
  static_assert(IsTupleLike<R>::value, "sabir: only a function that returns a tuple, pair or array can be split");

 public:
  SplitFunction(Exported& exported, TaskOptions options) : exported_(exported), options_(std::move(options)) {}

  // A tuple of ObjectRefs.
  template <typename... A>
  auto remote(const A&... argument) const {
    constexpr size_t kCount = std::tuple_size_v<R>;
    SentArguments<sizeof...(A)> arguments;
    Signature::encode(arguments, argument...);
    sabir_task* task = exported_.task(options_, kCount);
    sabir_ref* refs[kCount] = {};
    check(
        [&](sabir_error** error) { return sabir_task_submit(task, arguments.data(), arguments.size(), refs, error); });
    return adopt_each<R>(refs, std::make_index_sequence<kCount>());
  }

 private:
  Exported& exported_;
  TaskOptions options_;
};

// A function that can be called remotely; Signature: Parameters or AnyParameters.
template <typename R, typename Signature>
class RemoteFunction {
 public:
  explicit RemoteFunction(Exported& exported, TaskOptions options = {})
      : exported_(exported), options_(std::move(options)) {}

  RemoteFunction options(TaskOptions options) const { return RemoteFunction(exported_, std::move(options)); }
  // A tuple as several results.
  SplitFunction<R, Signature> split() const { return SplitFunction<R, Signature>(exported_, options_); }

  // Sends a call; returns at once. An ObjectRef as argument stands for its value, which the call waits for.
  template <typename... A>
  ObjectRef<R> remote(const A&... argument) const {
    SentArguments<sizeof...(A)> arguments;
    Signature::encode(arguments, argument...);
    sabir_task* task = exported_.task(options_, 1);
    sabir_ref* ref = nullptr;
    sabir_error* error = nullptr;
    sabir_status status = sabir_task_submit(task, arguments.data(), arguments.size(), &ref, &error);
    if (status != SABIR_OK) {
      throw_c_error(status, error);
    }
    return adopt<R>(ref);
  }
  template <typename... A>
  Result<ObjectRef<R>> try_remote(const A&... argument) const {
    return attempt([&] { return remote(argument...); });
  }

 private:
  Exported& exported_;
  TaskOptions options_;
};

}  // namespace detail

// A function registered by SABIR_REMOTE.
template <typename R, typename... P>
detail::RemoteFunction<std::decay_t<R>, detail::Parameters<P...>> task(R (*function)(P...)) {
  static_assert(detail::FunctionCode<R, P...>::kIsTask, "sabir: this is a factory of actors: use sabir::actor");
  return detail::RemoteFunction<std::decay_t<R>, detail::Parameters<P...>>(*detail::entry_of(function).task);
}

// A function in C++ by the name it was registered with; what it returns is to be R.
template <typename R>
detail::RemoteFunction<R, detail::AnyParameters> cpp_function(const std::string& name) {
  return detail::RemoteFunction<R, detail::AnyParameters>(
      detail::exported_by_name(SABIR_FUNCTION_TASK, Language::kCpp, name, name));
}

// A function in Python: py_function<double>("math", "sqrt"). What it returns is to be R; sabir::Value takes anything.
template <typename R>
detail::RemoteFunction<R, detail::AnyParameters> py_function(const std::string& module, const std::string& name) {
  return detail::RemoteFunction<R, detail::AnyParameters>(
      detail::exported_by_name(SABIR_FUNCTION_TASK, Language::kPython, name, "@" + module + ":" + name));
}

// A static method in Java: java_function<double>("java.lang.Math", "sqrt"). Of several methods of that name the one is
// called that the arguments fit; "max(II)" takes that one, "max(JJ)" the one of longs.
template <typename R>
detail::RemoteFunction<R, detail::AnyParameters> java_function(const std::string& class_name,
                                                               const std::string& method) {
  std::string name = class_name.substr(class_name.rfind('.') + 1) + "." + method.substr(0, method.find('('));
  return detail::RemoteFunction<R, detail::AnyParameters>(
      detail::exported_by_name(SABIR_FUNCTION_TASK, Language::kJava, name, class_name + "::" + method));
}

SABIR_NAMESPACE_END

#endif  // SABIR_TASK_HPP_
