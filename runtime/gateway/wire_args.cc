#include "runtime/gateway/wire_args.h"

#include <utility>

namespace sabir::gateway {

std::vector<rpc::WireValue> take_values(std::vector<rpc::WireArg>& args) {
  std::vector<rpc::WireValue> values;
  values.reserve(args.size());
  for (rpc::WireArg& arg : args) {
    values.push_back(std::move(arg.value));
  }
  return values;
}

std::vector<sabir_arg> passed_args(const std::vector<rpc::WireArg>& args, const std::vector<client::Future*>& values) {
  std::vector<sabir_arg> passed(values.size());
  for (size_t i = 0; i < passed.size(); ++i) {
    passed[i] = {};
    passed[i].ref = reinterpret_cast<sabir_ref*>(values[i]);
    passed[i].name = {args[i].name.data(), args[i].name.size()};
  }
  return passed;
}

void release_all(const std::vector<client::Future*>& futures) {
  for (client::Future* future : futures) {
    client::release(future);
  }
}

bool is_lost(ErrorKind kind) {
  return kind == ErrorKind::kDisconnected || kind == ErrorKind::kClosed || kind == ErrorKind::kTimeout ||
         kind == ErrorKind::kObjectLost;
}

bool is_final(const Error& error) {
  return error.kind() == ErrorKind::kInvalid || error.kind() == ErrorKind::kUnsupported;
}

}  // namespace sabir::gateway
