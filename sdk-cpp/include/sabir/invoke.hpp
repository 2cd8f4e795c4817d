// The worker's side of one call: arguments in, function, result out.
#ifndef SABIR_INVOKE_HPP_
#define SABIR_INVOKE_HPP_

#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "sabir/containers.hpp"
#include "sabir/registry.hpp"
#include "sabir/tensor.hpp"

SABIR_NAMESPACE_BEGIN
namespace detail {

// The call is wrong, and user code has not run or has nothing to do with it. Not an Error: those may be user code's.
struct CallError {
  std::shared_ptr<const ErrorInfo> info;
};
[[noreturn]] inline void throw_call_error(sabir_status status, std::string message) {
  throw CallError{Error(status, std::move(message)).info()};
}

// Thrown by exit_actor().
struct ActorExit {};

// The actor that this process hosts.
struct Instance {
  std::shared_ptr<void> object;
  const std::type_info* type = nullptr;
  void (*throw_pointer)(void*) = nullptr;  // throws a pointer to the object of its own type
};

class Call {
 public:
  Call(sabir_work* work, const sabir_work_view& view, Instance& instance)
      : work_(work), view_(view), instance_(instance) {}

  const sabir_work_view& view() const { return view_; }
  bool ended() const { return ended_; }

  void check_arguments(const Entry& entry) const {
    if (view_.arg_count != entry.arity) {
      throw_call_error(SABIR_INVALID_ARGUMENT, "it takes " + std::to_string(entry.arity) + " arguments, not " +
                                                   std::to_string(view_.arg_count) + " (" + entry.signature() + ")");
    }
    for (size_t i = 0; i < view_.arg_count; ++i) {
      if (view_.args[i].name.size != 0) {
        throw_call_error(SABIR_INVALID_ARGUMENT,
                         "functions in C++ have no keyword arguments, but it was called with '" +
                             std::string(view_of(view_.args[i].name)) + "'");
      }
    }
  }

  // Ends the call. The values may borrow from what the caller has.
  void finish(Encoder* results, size_t count) {
    if (count != view_.num_returns) {
      throw_call_error(SABIR_INVALID_ARGUMENT, "the call was to return " + std::to_string(view_.num_returns) +
                                                   " values (num_returns), but it returned " + std::to_string(count));
    }
    sabir_value one;
    std::vector<sabir_value> many;
    const sabir_value* values = &one;
    if (count == 1) {
      one = results[0].finish();
    } else {
      for (size_t i = 0; i < count; ++i) {
        many.push_back(results[i].finish());
      }
      values = many.data();
    }
    ended_ = true;
    // That this fails (a full store) has become the call's result by then.
    sabir_work_finish(work_, values, count, nullptr);
  }
  void finish_creation() {
    ended_ = true;
    sabir_work_finish(work_, nullptr, 0, nullptr);
  }
  void fail(const sabir_failure& failure) {
    ended_ = true;
    sabir_work_fail(work_, &failure, nullptr);
  }

  Instance& instance() const { return instance_; }
  // The actor as one of its classes.
  template <typename C>
  C& self() const {
    if (instance_.type != nullptr && *instance_.type == typeid(C)) {
      return *static_cast<C*>(instance_.object.get());
    }
    // A base class: throwing a pointer converts it as the language does, where it lies in the object.
    try {
      if (instance_.throw_pointer != nullptr) {
        instance_.throw_pointer(instance_.object.get());
      }
    } catch (C* base) {
      return *base;
    } catch (...) {
    }
    throw_call_error(SABIR_INVALID_ARGUMENT, "the actor is no " + type_name(typeid(C)));
  }

 private:
  sabir_work* work_;
  const sabir_work_view& view_;
  Instance& instance_;
  bool ended_ = false;
};

// What this thread runs, or null; see context.hpp.
SABIR_LOCAL inline const Call*& current_call() {
  static thread_local const Call* call = nullptr;
  return call;
}

class CurrentCall {
 public:
  explicit CurrentCall(const Call& call) { current_call() = &call; }
  CurrentCall(const CurrentCall&) = delete;
  CurrentCall& operator=(const CurrentCall&) = delete;
  ~CurrentCall() { current_call() = nullptr; }
};

// One decoded argument for a parameter of type P.
template <typename P>
class Argument {
 public:
  using Plain = std::remove_cv_t<std::remove_reference_t<P>>;
  static_assert(!std::is_lvalue_reference_v<P> || std::is_const_v<std::remove_reference_t<P>>,
                "sabir: a remote function cannot take a reference to non-const: what it changes would not reach the "
                "caller");
  static_assert(!std::is_pointer_v<Plain>,
                "sabir: a remote function cannot take pointers, which mean nothing in another process");

  Argument(const Call& call, size_t index) try
      : decoder_(call.view().args[index].value, call.view().args[index].ref), value_(read_value<Plain>(decoder_)) {
  } catch (const ConversionError& error) {
    throw_call_error(error.status(), "argument " + std::to_string(index + 1) + ": " + error.message());
  }

  // As the function wants it: moved out, where it takes it by value.
  decltype(auto) pass() { return static_cast<P&&>(value_); }

 private:
  Decoder decoder_;  // text may be borrowed from it
  Plain value_;
};

template <typename T>
struct IsTupleLike : std::false_type {};
template <typename... T>
struct IsTupleLike<std::tuple<T...>> : std::true_type {};
template <typename A, typename B>
struct IsTupleLike<std::pair<A, B>> : std::true_type {};
template <typename T, size_t N>
struct IsTupleLike<std::array<T, N>> : std::true_type {};
template <typename T>
struct IsVector : std::false_type {};
template <typename T>
struct IsVector<std::vector<T>> : std::true_type {};

// One value, or as many as the caller wants of a tuple or vector.
template <typename R>
void finish_with(Call& call, const R& result) {
  uint32_t wanted = call.view().num_returns;
  if (wanted != 1) {
    if constexpr (IsTupleLike<R>::value) {
      Encoder encoders[std::tuple_size_v<R> + 1];
      size_t count = 0;
      std::apply([&](const auto&... item) { (write_value(encoders[count++], item), ...); }, result);
      return call.finish(encoders, count);
    } else if constexpr (IsVector<R>::value) {
      std::unique_ptr<Encoder[]> encoders(new Encoder[result.size() + 1]);
      for (size_t i = 0; i < result.size(); ++i) {
        write_value<typename R::value_type>(encoders[i], result[i]);
      }
      return call.finish(encoders.get(), result.size());
    }
  }
  Encoder encoder;
  write_value(encoder, result);
  call.finish(&encoder, 1);
}

template <typename R, typename Function>
void run_and_finish(Call& call, Function function) {
  if constexpr (std::is_void_v<R>) {
    function();
    Encoder nothing;
    nothing.null();
    call.finish(&nothing, call.view().num_returns == 0 ? 0 : 1);
  } else {
    const std::decay_t<R> result = function();
    try {
      finish_with(call, result);
    } catch (const ConversionError& error) {
      throw_call_error(error.status(), "the result: " + error.message());
    }
  }
}

// What a factory makes, by value or by one of the usual pointers.
template <typename R>
struct Made {
  using Class = R;
  template <typename Make>
  static std::shared_ptr<void> own(Make make) {
    return std::shared_ptr<R>(new R(make()));
  }
};
template <typename C>
struct Made<C*> {
  using Class = C;
  template <typename Make>
  static std::shared_ptr<void> own(Make make) {
    return std::shared_ptr<C>(make());
  }
};
template <typename C, typename D>
struct Made<std::unique_ptr<C, D>> {
  using Class = C;
  template <typename Make>
  static std::shared_ptr<void> own(Make make) {
    return std::shared_ptr<C>(make());
  }
};
template <typename C>
struct Made<std::shared_ptr<C>> {
  using Class = C;
  template <typename Make>
  static std::shared_ptr<void> own(Make make) {
    return make();
  }
};
template <typename C>
void throw_as_pointer(void* object) {
  throw static_cast<C*>(object);
}

template <typename R, typename... P>
struct FunctionCode {
  using Pointer = R (*)(P...);
  using Plain = std::decay_t<R>;
  static constexpr bool kIsTask = std::is_void_v<R> || IsKnown<Plain>::value;
  // A class whose values travel is a result; an actor of it needs a factory that returns a pointer.
  static constexpr bool kIsFactory =
      !kIsTask && !std::is_reference_v<R> && std::is_class_v<typename Made<Plain>::Class>;
  static_assert(kIsTask || kIsFactory,
                "sabir: what this function returns cannot travel: describe it by SABIR_STRUCT(Type, fields...) or "
                "specialise sabir::Converter<Type>; factories of actors return the actor, or a pointer to it");

  static void invoke(const Entry& entry, Call& call) {
    if constexpr (kIsTask) {
      run(entry, call, [&](auto&&... argument) {
        run_and_finish<R>(call, [&]() -> R { return pointer(entry)(argument.pass()...); });
      });
    }
  }
  static void create(const Entry& entry, Call& call) {
    if constexpr (kIsFactory) {
      run(entry, call, [&](auto&&... argument) {
        using Class = typename Made<Plain>::Class;
        std::shared_ptr<void> object = Made<Plain>::own([&]() -> R { return pointer(entry)(argument.pass()...); });
        if (object == nullptr) {
          throw_call_error(SABIR_INVALID_ARGUMENT, "the factory returned a null pointer");
        }
        call.instance() = {std::move(object), &typeid(Class), throw_as_pointer<Class>};
        call.finish_creation();
      });
    }
  }

 private:
  static Pointer pointer(const Entry& entry) {
    Pointer pointer;
    std::memcpy(&pointer, entry.pointer.bytes.data(), sizeof(pointer));
    return pointer;
  }
  template <typename Body>
  static void run(const Entry& entry, Call& call, Body body) {
    call.check_arguments(entry);
    CurrentCall current(call);
    run_with(call, body, std::index_sequence_for<P...>());
  }
  template <typename Body, size_t... I>
  static void run_with(Call& call, Body body, std::index_sequence<I...>) {
    (void)call;
    body(Argument<P>(call, I)...);
  }
};

template <typename Pointer, typename C, typename R, typename... P>
struct MethodCode {
  static_assert(std::is_void_v<R> || IsKnown<std::decay_t<R>>::value,
                "sabir: what this method returns cannot travel: describe it by SABIR_STRUCT(Type, fields...) or "
                "specialise sabir::Converter<Type>");
  static void invoke(const Entry& entry, Call& call) {
    call.check_arguments(entry);
    CurrentCall current(call);
    run(entry, call, std::index_sequence_for<P...>());
  }

 private:
  template <size_t... I>
  static void run(const Entry& entry, Call& call, std::index_sequence<I...>) {
    Pointer pointer;
    std::memcpy(&pointer, entry.pointer.bytes.data(), sizeof(pointer));
    C& self = call.self<C>();
    auto body = [&](auto&&... argument) {
      run_and_finish<R>(call, [&]() -> R { return (self.*pointer)(argument.pass()...); });
    };
    body(Argument<P>(call, I)...);
  }
};

// Fills in what the type of the pointer says.
template <typename R, typename... P>
void describe(Entry& entry, R (*)(P...)) {
  using Code = FunctionCode<R, P...>;
  entry.type = &typeid(R(*)(P...));
  entry.arity = sizeof...(P);
  if constexpr (Code::kIsTask) {
    entry.invoke = Code::invoke;
    entry.task = std::make_unique<Exported>(SABIR_FUNCTION_TASK, Language::kCpp, entry.name, entry.name);
  }
  if constexpr (Code::kIsFactory) {
    entry.create = Code::create;
    entry.makes = &typeid(typename Made<std::decay_t<R>>::Class);
    std::string class_name = type_name(*entry.makes);
    entry.factory = std::make_unique<Exported>(SABIR_FUNCTION_CLASS, Language::kCpp, class_name, entry.name);
  }
}
template <typename R, typename... P>
void describe(Entry& entry, R (*pointer)(P...) noexcept) {
  describe(entry, static_cast<R (*)(P...)>(pointer));
}
template <typename Pointer, typename C, typename R, typename... P>
void describe_method(Entry& entry) {
  entry.type = &typeid(Pointer);
  entry.arity = sizeof...(P);
  entry.owner = &typeid(C);
  entry.invoke = MethodCode<Pointer, C, R, P...>::invoke;
  entry.method = std::make_unique<Exported>(SABIR_FUNCTION_METHOD, Language::kCpp, entry.name, entry.name);
}
template <typename C, typename R, typename... P>
void describe(Entry& entry, R (C::*)(P...)) {
  describe_method<R (C::*)(P...), C, R, P...>(entry);
}
template <typename C, typename R, typename... P>
void describe(Entry& entry, R (C::*)(P...) const) {
  describe_method<R (C::*)(P...) const, C, R, P...>(entry);
}
template <typename C, typename R, typename... P>
void describe(Entry& entry, R (C::*pointer)(P...) noexcept) {
  describe(entry, static_cast<R (C::*)(P...)>(pointer));
}
template <typename C, typename R, typename... P>
void describe(Entry& entry, R (C::*pointer)(P...) const noexcept) {
  describe(entry, static_cast<R (C::*)(P...) const>(pointer));
}

template <typename Pointer>
void Registry::add(std::string_view written, Pointer pointer) {
  auto entry = std::make_unique<Entry>();
  entry->name = clean_name(written);
  entry->pointer = PointerKey::of(pointer);
  describe(*entry, pointer);
  insert(std::move(entry));
}

}  // namespace detail

// A factory that calls a constructor: SABIR_REMOTE_AS("Counter", sabir::construct<Counter, int>).
template <typename C, typename... P>
std::unique_ptr<C> construct(P... argument) {
  return std::make_unique<C>(std::move(argument)...);
}

SABIR_NAMESPACE_END

#endif  // SABIR_INVOKE_HPP_
