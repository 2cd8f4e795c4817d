#include "runtime/client/args.h"

#include <algorithm>

#include "runtime/client/objects.h"
#include "runtime/client/refs.h"

namespace sabir::client {
namespace {

size_t plain_value_bytes(const sabir_value& value) {
  size_t data = total_bytes(parts_of(value));
  return data == 0 && value.encoding == SABIR_NULL ? 0 : sizeof(ValueHeader) + data;
}

void write_value(Writer& out, ValueHeader header, std::span<const sabir_span> parts) {
  out.put(header);
  for (const sabir_span& part : parts) {
    out.put_bytes(part.data, part.size);
  }
}

size_t arg_bytes(std::string_view name, size_t value_bytes) {
  return sizeof(ArgHeader) + pad8(name.size()) + pad8(value_bytes);
}

void write_arg_header(Writer& out, std::string_view name, size_t value_bytes) {
  out.put(
      ArgHeader{.value_bytes = static_cast<uint32_t>(value_bytes), .name_bytes = static_cast<uint16_t>(name.size())});
  out.put_bytes(name.data(), name.size());
  out.align8();
}

size_t value_bytes(Core& core, const PreparedArg& arg) {
  return arg.future == nullptr ? arg.value.size() : core.refs->passed_bytes(arg.future);
}

Result<std::vector<uint8_t>> encode_value(Core& core, const sabir_value& value, std::vector<Future*>& held) {
  std::span<Future* const> refs = refs_of(value);
  SABIR_RETURN_IF_ERROR(core.refs->prepare(refs));
  for (Future* ref : refs) {
    held.push_back(retain(ref));
  }
  ValueHeader header = header_of(value);
  header.ref_count = static_cast<uint32_t>(refs.size());
  header.flags = refs.empty() ? 0 : kValueHasRefs;
  std::vector<uint8_t> bytes;
  Lock lock(core.lock, std::defer_lock);
  size_t table = 0;
  if (!refs.empty()) {
    lock.lock();
    table = core.refs->wire_bytes(refs);
  }
  bytes.resize(refs.empty() ? plain_value_bytes(value)
                            : value_prefix_bytes(table, kCallAlignment) + total_bytes(parts_of(value)));
  if (bytes.empty()) {
    return bytes;
  }
  Writer out(bytes.data(), bytes.size());
  out.put(header);
  if (!refs.empty()) {
    core.refs->write_wire(out, refs);
    lock.unlock();
  }
  for (const sabir_span& part : parts_of(value)) {
    out.put_bytes(part.data, part.size);
  }
  return bytes;
}

}  // namespace

std::optional<size_t> measure_plain(std::span<const sabir_arg> args) {
  if (args.empty()) {
    return 0;
  }
  size_t total = sizeof(ArgsHeader);
  for (const sabir_arg& arg : args) {
    size_t bytes = plain_value_bytes(arg.value);
    if (arg.ref != nullptr || arg.value.ref_count != 0 || bytes >= shm::kStoreThresholdBytes) {
      return std::nullopt;
    }
    total += arg_bytes({arg.name.data, arg.name.size}, bytes);
  }
  return total <= shm::kMaxBlockBytes ? std::optional<size_t>(total) : std::nullopt;
}

void write_plain(Writer& out, std::span<const sabir_arg> args) {
  out.put(ArgsHeader{.argc = static_cast<uint16_t>(args.size()), .flags = kArgsHaveNames});
  for (const sabir_arg& arg : args) {
    size_t bytes = plain_value_bytes(arg.value);
    write_arg_header(out, {arg.name.data, arg.name.size}, bytes);
    if (bytes != 0) {
      write_value(out, header_of(arg.value), parts_of(arg.value));
    }
    out.align8();
  }
}

Result<PreparedArgs> prepare_args(Core& core, std::span<const sabir_arg> args, std::vector<Future*>& held) {
  constexpr int64_t kRoomTimeoutNs = 60 * kSecondNs;
  PreparedArgs prepared;
  prepared.args.resize(args.size());
  for (size_t i = 0; i < args.size(); ++i) {
    const sabir_arg& arg = args[i];
    PreparedArg& out = prepared.args[i];
    out.name.assign(arg.name.size == 0 ? "" : arg.name.data, arg.name.size);
    if (arg.ref != nullptr) {
      out.future = reinterpret_cast<Future*>(arg.ref);
      SABIR_RETURN_IF_ERROR(core.check_own(out.future));
      if (out.future->kind == FutureKind::kActor) {
        return invalid_error("an actor handle has no value to pass: put it inside a value");
      }
      held.push_back(retain(out.future));
      if (out.future->ready() && out.future->kind == FutureKind::kValue && out.future->nested_count() != 0) {
        SABIR_RETURN_IF_ERROR(core.refs->prepare(out.future->extra->nested));
      }
    } else if (total_bytes(parts_of(arg.value)) >= shm::kStoreThresholdBytes) {
      SABIR_ASSIGN_OR_RETURN(out.future, core.objects->store(header_of(arg.value), refs_of(arg.value),
                                                             parts_of(arg.value), kRoomTimeoutNs));
      held.push_back(out.future);
    } else {
      SABIR_ASSIGN_OR_RETURN(out.value, encode_value(core, arg.value, held));
    }
  }
  return prepared;
}

size_t measure(Core& core, const PreparedArgs& prepared) {
  if (prepared.whole != nullptr) {
    return sizeof(ArgsHeader) + sizeof(WireRef);
  }
  if (prepared.args.empty()) {
    return 0;
  }
  size_t total = sizeof(ArgsHeader);
  for (const PreparedArg& arg : prepared.args) {
    total += arg_bytes(arg.name, value_bytes(core, arg));
  }
  return total;
}

void write(Core& core, Writer& out, const PreparedArgs& prepared) {
  if (prepared.whole != nullptr) {
    out.put(ArgsHeader{.argc = 0, .flags = kArgsAreIndirect});
    out.put(core.refs->wire_ref(prepared.whole));
    return;
  }
  if (prepared.args.empty()) {
    return;
  }
  out.put(ArgsHeader{.argc = static_cast<uint16_t>(prepared.args.size()), .flags = kArgsHaveNames});
  for (const PreparedArg& arg : prepared.args) {
    write_arg_header(out, arg.name, value_bytes(core, arg));
    if (arg.future == nullptr) {
      out.put_bytes(arg.value.data(), arg.value.size());
    } else {
      core.refs->write_passed(out, arg.future);
    }
    out.align8();
  }
}

Future* find_error(const PreparedArgs& prepared) {
  for (const PreparedArg& arg : prepared.args) {
    if (arg.future != nullptr && arg.future->is_error()) {
      return arg.future;
    }
  }
  return nullptr;
}

Result<void> shrink(Core& core, PreparedArgs& prepared, std::vector<Future*>& held) {
  constexpr int64_t kRoomTimeoutNs = 60 * kSecondNs;
  std::vector<PreparedArg*> by_size;
  for (PreparedArg& arg : prepared.args) {
    by_size.push_back(&arg);
  }
  auto size_of = [](const PreparedArg* arg) {
    return arg->future == nullptr ? arg->value.size() : arg->future->size_bytes;
  };
  std::sort(by_size.begin(), by_size.end(), [&](auto* a, auto* b) { return size_of(a) > size_of(b); });
  for (PreparedArg* arg : by_size) {
    {
      Lock lock(core.lock);
      if (measure(core, prepared) <= shm::kMaxBlockBytes) {
        return {};
      }
      if (size_of(arg) <= kInlineRefBytes) {
        break;  // too many, not too large
      }
      if (arg->future == nullptr) {
        Future* future = core.refs->make(core.refs->next_put_sequence());
        SABIR_CHECK(core.refs->fill(future, arg->value, HoldState::kOwn, nullptr));
        future->state.store(FutureState::kReady, std::memory_order_release);
        held.push_back(future);
        arg->future = future;
        arg->value.clear();
      }
    }
    if (arg->future->kind == FutureKind::kValue && !arg->future->has_entry()) {
      SABIR_RETURN_IF_ERROR(core.objects->store_ready(arg->future));
    }
  }
  std::vector<uint8_t> bytes;
  {
    Lock lock(core.lock);
    bytes.resize(measure(core, prepared));
    Writer out(bytes.data(), bytes.size());
    write(core, out, prepared);
  }
  // References inside are held by the call itself; the object holds nothing.
  sabir_span part{bytes.data(), bytes.size()};
  ValueHeader header{.encoding = static_cast<uint8_t>(Encoding::kNative)};
  SABIR_ASSIGN_OR_RETURN(prepared.whole, core.objects->store(header, {}, {&part, 1}, kRoomTimeoutNs));
  held.push_back(prepared.whole);
  return {};
}

}  // namespace sabir::client
