// sabir.h: values and error values that were received, for SDKs that do not read all forms themselves.
#include "runtime/abi/handles.h"
#include "runtime/base/language.h"
#include "runtime/client/error_value.h"
#include "runtime/client/flex_plain.h"

using namespace sabir;
using namespace sabir::abi;

namespace {

std::span<const uint8_t> bytes_of(const sabir_view& view) {
  return {static_cast<const uint8_t*>(view.data), view.size};
}

// What the writer of a native value says to readers in other languages, if anything.
std::string_view note_of(const sabir_view& view) {
  uint32_t size = 0;
  if ((view.variant & SABIR_NATIVE_NOTED) == 0 || view.size < sizeof(size)) {
    return {};
  }
  std::memcpy(&size, view.data, sizeof(size));
  return size > view.size - sizeof(size) ? std::string_view()
                                         : std::string_view(static_cast<const char*>(view.data) + sizeof(size), size);
}

// Why a value has no plain form.
Error no_plain_form(const sabir_view& view) {
  std::string form =
      "an unknown form (encoding " + std::to_string(view.encoding) + ", variant " + std::to_string(view.variant) + ")";
  if (view.encoding == SABIR_TENSOR) {
    form = "a tensor";
  } else if (view.encoding == SABIR_NEUTRAL && view.variant == SABIR_NEUTRAL_BUFFERS) {
    form = "a value with tensors in it";
  } else if (view.encoding == SABIR_NEUTRAL && view.variant == SABIR_NEUTRAL_TABLE) {
    form = "a table";
  } else if (view.encoding == SABIR_NATIVE) {
    std::string_view note = note_of(view);
    form = "a value in a form that only " + language_name(view.language) + " reads" +
           (note.empty() ? "" : ": " + std::string(note));
  }
  return invalid_error(form + "; only null, booleans, numbers, texts, bytes, times, references, lists and maps " +
                       "have a plain form");
}

}  // namespace

sabir_status sabir_view_to_plain(const sabir_view* view, sabir_buffer** out_plain, sabir_error** out_error) {
  if (view->encoding == SABIR_NULL) {
    *out_plain = make_buffer("N");
    return SABIR_OK;
  }
  if (view->encoding == SABIR_NEUTRAL && view->variant == SABIR_NEUTRAL_PLAIN) {
    *out_plain = make_buffer({static_cast<const char*>(view->data), view->size});
    return SABIR_OK;
  }
  if (view->encoding != SABIR_NEUTRAL || view->variant != SABIR_NEUTRAL_FLEXBUFFERS) {
    return fail(out_error, no_plain_form(*view));
  }
  Result<std::string> plain = client::flex_to_plain(bytes_of(*view));
  if (!plain.ok()) {
    return fail(out_error, plain.error());
  }
  *out_plain = make_buffer(*std::move(plain));
  return SABIR_OK;
}

sabir_status sabir_failure_decode(const sabir_view* value, size_t depth, sabir_failure* out_failure,
                                  sabir_error** out_error) {
  if (value->is_error == 0 || value->encoding != SABIR_NEUTRAL || value->variant != SABIR_NEUTRAL_FLEXBUFFERS) {
    return fail(out_error, SABIR_INVALID_ARGUMENT, "the value is no error value");
  }
  Result<client::ErrorFields> fields = client::read_error_fields(bytes_of(*value), depth);
  if (!fields.ok()) {
    return fail(out_error, fields.error());
  }
  auto lent = [](std::string_view text) { return sabir_string{text.data(), text.size()}; };
  sabir_failure failure = SABIR_FAILURE_INIT;
  failure.kind = static_cast<sabir_status>(fields->kind);
  failure.language = fields->language;
  failure.message = lent(fields->message);
  failure.type = lent(fields->type);
  failure.stack = lent(fields->stack);
  failure.native = {fields->native.data(), fields->native.size()};
  return write_struct(out_failure, failure)
             ? SABIR_OK
             : fail(out_error, SABIR_INVALID_ARGUMENT, "sabir_failure without its struct_size");
}

void sabir_config_init(sabir_config* config) { (void)write_struct<sabir_config>(config, SABIR_CONFIG_INIT); }

void sabir_task_options_init(sabir_task_options* options) {
  (void)write_struct<sabir_task_options>(options, SABIR_TASK_OPTIONS_INIT);
}

void sabir_actor_options_init(sabir_actor_options* options) {
  (void)write_struct<sabir_actor_options>(options, SABIR_ACTOR_OPTIONS_INIT);
}

void sabir_failure_init(sabir_failure* failure) { (void)write_struct<sabir_failure>(failure, SABIR_FAILURE_INIT); }
