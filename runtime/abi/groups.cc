// sabir.h: placement groups.
#include "runtime/client/groups.h"

#include <algorithm>
#include <cstring>

#include "runtime/abi/handles.h"
#include "runtime/base/hex.h"
#include "runtime/client/execute.h"
#include "runtime/client/objects.h"

namespace {

using namespace sabir;
using namespace sabir::abi;

constexpr int64_t kForRoomNs = 30 * kSecondNs;

void write_id(sabir_group_id& out, std::string_view id) {
  std::string hex = id.empty() ? std::string() : to_hex(id);
  out = {};
  std::memcpy(out.hex, hex.data(), std::min(hex.size(), sizeof(out.hex) - 1));
}

}  // namespace

void sabir_group_options_init(sabir_group_options* options) {
  (void)write_struct<sabir_group_options>(options, SABIR_GROUP_OPTIONS_INIT);
}

sabir_status sabir_group_create(sabir_client* client, const sabir_group_options* options, sabir_group_id* out_group,
                                sabir_error** out_error) {
  Client* self;
  if (sabir_status status = enter(client, &self, out_error); status != SABIR_OK) {
    return status;
  }
  std::optional<sabir_group_options> complete = read_struct<sabir_group_options>(options, SABIR_GROUP_OPTIONS_INIT);
  if (!complete) {
    return fail(out_error, SABIR_INVALID_ARGUMENT, "sabir_group_options without its struct_size");
  }
  Result<std::string> made = self->core().groups->create(*complete);
  if (!made.ok()) {
    return fail(out_error, made.error());
  }
  write_id(*out_group, *made);
  return SABIR_OK;
}

sabir_status sabir_group_ready(sabir_client* client, sabir_string group_id, const sabir_value* value,
                               sabir_ref** out_ref, sabir_error** out_error) {
  Client* self;
  if (sabir_status status = enter(client, &self, out_error); status != SABIR_OK) {
    return status;
  }
  Result<std::string> id = client::group_id_of(view(group_id));
  if (!id.ok()) {
    return fail(out_error, id.error());
  }
  if (Result<void> checked = check_value(*value); !checked.ok()) {
    return fail(out_error, checked.error());
  }
  if (value->ref_count != 0) {
    return fail(out_error, SABIR_INVALID_ARGUMENT, "the value of a group that is ready has no references");
  }
  Result<Future*> made = self->core().objects->put(*value, kForRoomNs);
  if (!made.ok()) {
    return fail(out_error, made.error());
  }
  Result<Future*> ready = self->core().groups->ready(*id, *made);
  if (!ready.ok()) {
    return fail(out_error, ready.error());
  }
  *out_ref = ref_of(*ready);
  return SABIR_OK;
}

sabir_status sabir_group_remove(sabir_client* client, sabir_string group_id, sabir_error** out_error) {
  Client* self;
  if (sabir_status status = enter(client, &self, out_error); status != SABIR_OK) {
    return status;
  }
  Result<std::string> id = client::group_id_of(view(group_id));
  return id.ok() ? finish(self->core().groups->remove(*id), out_error) : fail(out_error, id.error());
}

sabir_status sabir_group_find(sabir_client* client, sabir_string group_id, sabir_string name, sabir_string name_space,
                              sabir_buffer** out_json, sabir_error** out_error) {
  Client* self;
  if (sabir_status status = enter(client, &self, out_error); status != SABIR_OK) {
    return status;
  }
  rpc::GroupQuery query;
  query.name = view(name);
  query.name_space = view(name_space);
  if (group_id.size != 0) {
    Result<std::string> id = client::group_id_of(view(group_id));
    if (!id.ok()) {
      return fail(out_error, id.error());
    }
    query.id = *std::move(id);
  }
  Result<std::string> json = self->core().groups->find(query);
  if (!json.ok()) {
    return fail(out_error, json.error());
  }
  *out_json = make_buffer(*std::move(json));
  return SABIR_OK;
}

sabir_status sabir_group_current(sabir_client* client, sabir_current_group* out_current, sabir_error** out_error) {
  Client* self;
  if (sabir_status status = enter(client, &self, out_error); status != SABIR_OK) {
    return status;
  }
  sabir_current_group current = SABIR_CURRENT_GROUP_INIT;
  {
    client::Lock lock(self->core().lock);
    const Scheduling& place = self->core().executor->place();
    if (place.kind == Scheduling::Kind::kGroup) {
      write_id(current.group, place.group_id);
      current.bundle = place.bundle;
      current.capture_children = place.capture_children ? 1 : 0;
    }
  }
  return write_struct(out_current, current)
             ? SABIR_OK
             : fail(out_error, SABIR_INVALID_ARGUMENT, "sabir_current_group without its struct_size");
}
