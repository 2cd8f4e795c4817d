// Actors: objects that live in a worker of their own.
// sabir::actor(Counter::create).remote(0).task(&Counter::add).remote(1)
#ifndef SABIR_ACTOR_HPP_
#define SABIR_ACTOR_HPP_

#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "sabir/json.hpp"
#include "sabir/task.hpp"

SABIR_NAMESPACE_BEGIN
namespace detail {

// A method of one actor.
template <typename R, typename Signature>
class RemoteMethod {
 public:
  RemoteMethod(ActorHandleOwner actor, Exported& exported) : actor_(std::move(actor)), exported_(exported) {}

  // Sends a call; returns at once. Calls of one process to one actor run in the order they were sent.
  template <typename... A>
  ObjectRef<R> remote(const A&... argument) const {
    sabir_ref* ref = nullptr;
    submit(&ref, 1, argument...);
    return adopt<R>(ref);
  }
  template <typename... A>
  Result<ObjectRef<R>> try_remote(const A&... argument) const {
    return attempt([&] { return remote(argument...); });
  }

 private:
  template <typename... A>
  void submit(sabir_ref** refs, uint32_t num_returns, const A&... argument) const {
    if (!actor_) {
      throw_status(SABIR_INVALID_ARGUMENT, "an empty actor handle");
    }
    SentArguments<sizeof...(A)> arguments;
    Signature::encode(arguments, argument...);
    sabir_function* method = exported_.function();
    check([&](sabir_error** error) {
      return sabir_actor_submit(actor_.get(), method, num_returns, arguments.data(), arguments.size(), refs, error);
    });
  }

  ActorHandleOwner actor_;
  Exported& exported_;
};

inline sabir_actor_info actor_info(sabir_actor* actor) {
  if (actor == nullptr) {
    throw_status(SABIR_INVALID_ARGUMENT, "an empty actor handle");
  }
  sabir_actor_info info = SABIR_ACTOR_INFO_INIT;
  check([&](sabir_error** error) { return sabir_actor_get_info(actor, &info, error); });
  return info;
}

}  // namespace detail

// A handle of an actor of class C; void: of a class that this program does not know, called by name. It can be passed
// to tasks and other actors; the actor lives while handles do.
template <typename C = void>
class ActorHandle {
 public:
  using Class = C;

  ActorHandle() = default;
  // `language`: the actor's, if it is known; else the session is asked when a method is called by its name.
  explicit ActorHandle(detail::ActorHandleOwner actor, Language language = Language::kNone)
      : actor_(std::move(actor)), language_(language) {}

  // handle.task(&Counter::add).remote(1)
  template <typename B, typename R, typename... P>
  auto task(R (B::*method)(P...)) const {
    return typed<B, R, P...>(method);
  }
  template <typename B, typename R, typename... P>
  auto task(R (B::*method)(P...) const) const {
    return typed<B, R, P...>(method);
  }
  // By name, of an actor in any language: handle.task<int>("add").remote(1)
  template <typename R>
  detail::RemoteMethod<R, detail::AnyParameters> task(const std::string& name) const {
    return {actor_, detail::exported_by_name(SABIR_FUNCTION_METHOD, language(), name, name)};
  }

  // Ends its process at once; calls that wait for it fail with ActorDiedError. With no_restart = false it restarts if
  // it has restarts left.
  void kill(bool no_restart = true) const {
    detail::actor_info(actor_.get());
    detail::check([&](sabir_error** error) { return sabir_actor_kill(actor_.get(), no_restart ? 1 : 0, error); });
  }
  std::string id() const { return std::string(detail::view_of(detail::actor_info(actor_.get()).actor_id)); }
  std::string name() const { return std::string(detail::view_of(detail::actor_info(actor_.get()).name)); }
  std::string class_name() const { return std::string(detail::view_of(detail::actor_info(actor_.get()).class_name)); }
  Language language() const {
    return language_ != Language::kNone ? language_ : static_cast<Language>(detail::actor_info(actor_.get()).language);
  }
  template <typename D>
  ActorHandle<D> as() const {
    return ActorHandle<D>(actor_, language_);
  }
  explicit operator bool() const { return static_cast<bool>(actor_); }

  const detail::ActorHandleOwner& handle() const { return actor_; }

 private:
  template <typename B, typename R, typename... P, typename Method>
  detail::RemoteMethod<std::decay_t<R>, detail::Parameters<P...>> typed(Method method) const {
    static_assert(std::is_base_of_v<B, C>, "sabir: this is a method of another class than the actor's");
    return {actor_, *detail::entry_of(method).method};
  }

  detail::ActorHandleOwner actor_;
  Language language_ = Language::kNone;
};

namespace detail {

template <typename C>
struct Codec<ActorHandle<C>> {
  static void write(Encoder& encoder, const ActorHandle<C>& value) {
    encoder.actor(value ? RefHandle(sabir_actor_as_ref(value.handle().get())) : RefHandle());
  }
  static ActorHandle<C> read(Decoder& decoder) {
    RefHandle ref = decoder.actor();
    sabir_actor* actor = nullptr;
    check([&](sabir_error** error) { return sabir_ref_as_actor(ref.get(), &actor, error); });
    return ActorHandle<C>(ActorHandleOwner(actor));
  }
};

// What handles in other languages want to know of a class: its methods with their numbers of arguments and results.
// Null: a class that is known by its name only; "" says that nobody knows.
inline std::string class_info(const std::type_info* type) {
  if (type == nullptr) {
    return "";
  }
  std::string out;
  for (const auto& entry : registry().entries()) {
    if (entry->is_method() && *entry->owner == *type) {
      std::string count = std::to_string(entry->arity);
      out += json_text(entry->short_name()) + ": {\"args\": [" + count + ", " + count + "], \"returns\": 1}, ";
    }
  }
  return "{" + out + "\"__sabir_ready__\": {\"args\": [0, 0], \"returns\": 1}, " +
         "\"__sabir_terminate__\": {\"args\": [0, 0], \"returns\": 1}}";
}

// A class whose actors can be made; Signature: the parameters of its factory.
template <typename C, typename Signature>
class RemoteClass {
 public:
  RemoteClass(Exported& exported, const std::type_info* type, ActorOptions options = {})
      : exported_(exported), type_(type), options_(std::move(options)) {}

  RemoteClass options(ActorOptions options) const { return RemoteClass(exported_, type_, std::move(options)); }

  // Starts an actor. A name is taken when this returns; what the factory throws reaches the first call.
  template <typename... A>
  ActorHandle<C> remote(const A&... argument) const {
    SentArguments<sizeof...(A)> arguments;
    Signature::encode(arguments, argument...);
    ResourceList resources(options_.num_cpus, options_.num_gpus, options_.resources);
    std::string info = class_info(type_);
    sabir_actor_options raw = SABIR_ACTOR_OPTIONS_INIT;
    raw.resources = resources.data();
    raw.resource_count = resources.size();
    raw.name = string_of(options_.name);
    raw.name_space = string_of(options_.name_space);
    raw.max_restarts = options_.max_restarts;
    raw.max_task_retries = options_.max_task_retries;
    raw.detached = options_.detached ? 1 : 0;
    raw.get_if_exists = options_.get_if_exists ? 1 : 0;
    raw.class_info = {info.data(), info.size()};
    RawScheduling scheduling(options_.scheduling);
    raw.scheduling = scheduling.get();
    sabir_function* function = exported_.in(options_.runtime_env).function();
    sabir_actor* actor = nullptr;
    check([&](sabir_error** error) {
      return sabir_actor_create(require_client(), function, &raw, arguments.data(), arguments.size(), &actor, error);
    });
    // The existing one may live in another language.
    return ActorHandle<C>(ActorHandleOwner(actor), options_.get_if_exists ? Language::kNone : exported_.language());
  }
  template <typename... A>
  Result<ActorHandle<C>> try_remote(const A&... argument) const {
    return attempt([&] { return remote(argument...); });
  }

 private:
  Exported& exported_;
  const std::type_info* type_;
  ActorOptions options_;
};

}  // namespace detail

// A factory registered by SABIR_REMOTE: sabir::actor(Counter::create), sabir::actor(sabir::construct<Counter, int>).
template <typename R, typename... P>
auto actor(R (*factory)(P...)) {
  static_assert(detail::FunctionCode<R, P...>::kIsFactory,
                "sabir: a factory returns an actor or a pointer to one; this is a task");
  using Class = typename detail::Made<std::decay_t<R>>::Class;
  return detail::RemoteClass<Class, detail::Parameters<P...>>(*detail::entry_of(factory).factory, &typeid(Class));
}

// A class by the registered name of its factory.
template <typename C = void>
detail::RemoteClass<C, detail::AnyParameters> cpp_actor_class(const std::string& factory) {
  return {detail::exported_by_name(SABIR_FUNCTION_CLASS, Language::kCpp, factory, factory), nullptr};
}

// A class in Python.
inline detail::RemoteClass<void, detail::AnyParameters> py_actor_class(const std::string& module,
                                                                       const std::string& name) {
  return {detail::exported_by_name(SABIR_FUNCTION_CLASS, Language::kPython, name, "@" + module + ":" + name), nullptr};
}

// A class in Java: java_actor_class("com.example.Counter"). Of several constructors the one is called that the
// arguments fit; "com.example.Counter::create" names a static method that makes the actor.
inline detail::RemoteClass<void, detail::AnyParameters> java_actor_class(const std::string& class_name) {
  std::string name = class_name.substr(0, class_name.find("::"));
  name = name.substr(name.rfind('.') + 1);
  return {detail::exported_by_name(SABIR_FUNCTION_CLASS, Language::kJava, name, class_name), nullptr};
}

// The handle of a named actor; throws NotFoundError.
template <typename C = void>
ActorHandle<C> get_actor(const std::string& name, const std::string& name_space = "") {
  sabir_actor* actor = nullptr;
  detail::check([&](sabir_error** error) {
    return sabir_actor_lookup(detail::require_client(), detail::string_of(name), detail::string_of(name_space), &actor,
                              error);
  });
  return ActorHandle<C>(detail::ActorHandleOwner(actor));
}
template <typename C = void>
Result<ActorHandle<C>> try_get_actor(const std::string& name, const std::string& name_space = "") {
  return attempt([&] { return get_actor<C>(name, name_space); });
}

// Ends the actor that calls it; it is not restarted. Its calls, the running one too, fail with ActorDiedError.
[[noreturn]] inline void exit_actor() {
  detail::check([&](sabir_error** error) { return sabir_worker_exit(detail::require_client(), error); });
  throw detail::ActorExit();
}

SABIR_NAMESPACE_END

#endif  // SABIR_ACTOR_HPP_
