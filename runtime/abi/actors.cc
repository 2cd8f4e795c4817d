// sabir.h: actors. A handle is a reference that has no value.
#include <cstring>

#include "runtime/abi/handles.h"
#include "runtime/client/actor_peer.h"
#include "runtime/client/submit.h"

using namespace sabir;
using namespace sabir::abi;

namespace {

const client::Function* function_of(const sabir_function* function) {
  return reinterpret_cast<const client::Function*>(function);
}

}  // namespace

sabir_status sabir_actor_create(sabir_client* client, const sabir_function* actor_class,
                                const sabir_actor_options* options, const sabir_arg* args, size_t arg_count,
                                sabir_actor** out_actor, sabir_error** out_error) {
  Client* self;
  if (sabir_status status = enter(client, &self, out_error); status != SABIR_OK) {
    return status;
  }
  std::optional<sabir_actor_options> complete = read_struct<sabir_actor_options>(options, SABIR_ACTOR_OPTIONS_INIT);
  if (!complete || actor_class == nullptr) {
    return fail(out_error, SABIR_INVALID_ARGUMENT, "no class, or sabir_actor_options without its struct_size");
  }
  Result<void> checked = self->check();
  if (checked.ok()) {
    checked = check_args(args, arg_count);
  }
  if (!checked.ok()) {
    return fail(out_error, checked.error());
  }
  Result<Future*> actor = self->create_actor(*function_of(actor_class), *complete, {args, arg_count});
  if (!actor.ok()) {
    return fail(out_error, actor.error());
  }
  *out_actor = actor_of(*actor);
  return SABIR_OK;
}

sabir_status sabir_actor_lookup(sabir_client* client, sabir_string name, sabir_string name_space,
                                sabir_actor** out_actor, sabir_error** out_error) {
  Client* self;
  if (sabir_status status = enter(client, &self, out_error); status != SABIR_OK) {
    return status;
  }
  Result<Future*> actor = self->find_actor(std::string(view(name)), std::string(view(name_space)));
  if (!actor.ok()) {
    return fail(out_error, actor.error());
  }
  *out_actor = actor_of(*actor);
  return SABIR_OK;
}

sabir_status sabir_actor_submit(sabir_actor* actor, const sabir_function* method, uint32_t num_returns,
                                const sabir_arg* args, size_t arg_count, sabir_ref** out_refs,
                                sabir_error** out_error) {
  constexpr uint32_t kMostReturns = 65535;
  Client* self;
  if (sabir_status status = enter(future_of(actor)->anchor, &self, out_error); status != SABIR_OK) [[unlikely]] {
    return status;
  }
  Result<void> checked = check_args(args, arg_count);
  if (!checked.ok() || num_returns > kMostReturns || method == nullptr) [[unlikely]] {
    return checked.ok() ? fail(out_error, SABIR_INVALID_ARGUMENT, "no method, or more than 65535 returns")
                        : fail(out_error, checked.error());
  }
  return finish(self->core().submitter->submit_actor(future_of(actor), function_of(method)->index,
                                                     static_cast<uint16_t>(num_returns), {args, arg_count}, out_refs),
                out_error);
}

sabir_status sabir_actor_kill(sabir_actor* actor, uint8_t no_restart, sabir_error** out_error) {
  Client* self;
  if (sabir_status status = enter(future_of(actor)->anchor, &self, out_error); status != SABIR_OK) {
    return status;
  }
  return finish(self->kill_actor(future_of(actor), no_restart != 0), out_error);
}

sabir_status sabir_actor_get_info(sabir_actor* actor, sabir_actor_info* out_info, sabir_error** out_error) {
  Client* self;
  if (sabir_status status = enter(future_of(actor)->anchor, &self, out_error); status != SABIR_OK) {
    return status;
  }
  auto described = self->describe_actor(future_of(actor));
  if (!described.ok()) {
    return fail(out_error, described.error());
  }
  // The peer keeps it as long as the handle lives.
  const rpc::ActorInfo& known = **described;
  client::ActorPeer& peer = *future_of(actor)->extra->actor;
  sabir_actor_info info = SABIR_ACTOR_INFO_INIT;
  info.actor_id = lend(peer.id_hex);
  info.name = lend(known.name);
  info.class_name = lend(known.class_name);
  info.class_info = {known.class_info.data(), known.class_info.size()};
  info.language = known.language;
  return write_struct(out_info, info)
             ? SABIR_OK
             : fail(out_error, SABIR_INVALID_ARGUMENT, "sabir_actor_info without its struct_size");
}

sabir_ref* sabir_actor_as_ref(sabir_actor* actor) {
  return future_of(actor)->anchor->forked() ? ref_of(future_of(actor)) : ref_of(retain(future_of(actor)));
}

sabir_status sabir_ref_as_actor(sabir_ref* ref, sabir_actor** out_actor, sabir_error** out_error) {
  Client* self;
  if (sabir_status status = enter(future_of(ref)->anchor, &self, out_error); status != SABIR_OK) {
    return status;
  }
  if (future_of(ref)->kind != client::FutureKind::kActor) {
    return fail(out_error, SABIR_INVALID_ARGUMENT, "the reference is no actor handle");
  }
  // A call needs to know how often it may be retried.
  if (auto described = self->describe_actor(future_of(ref)); !described.ok()) {
    return fail(out_error, described.error());
  }
  *out_actor = actor_of(retain(future_of(ref)));
  return SABIR_OK;
}

sabir_actor* sabir_actor_retain(sabir_actor* actor) {
  if (!future_of(actor)->anchor->forked()) {
    retain(future_of(actor));
  }
  return actor;
}

void sabir_actor_release(sabir_actor* actor) {
  if (actor != nullptr && !future_of(actor)->anchor->forked()) {
    release(future_of(actor));
  }
}
