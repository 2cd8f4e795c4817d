// Where the calling code runs.
#ifndef SABIR_CONTEXT_HPP_
#define SABIR_CONTEXT_HPP_

#include <string>
#include <vector>

#include "sabir/invoke.hpp"

SABIR_NAMESPACE_BEGIN

struct Context {
  std::string session_path;
  std::string job_id;
  std::string node_id;
  std::string process_id;
  std::string name_space;
  std::string actor_id;  // "": not in an actor
  bool is_worker = false;
  // Of the call that this thread runs:
  bool in_call = false;
  uint32_t attempt = 0;  // 0: the first
  std::vector<int> gpu_ids;
};

inline Context context() {
  sabir_client_info info = SABIR_CLIENT_INFO_INIT;
  detail::check([&](sabir_error** error) { return sabir_client_get_info(detail::require_client(), &info, error); });
  Context made;
  made.session_path = detail::view_of(info.session_path);
  made.job_id = detail::view_of(info.job_id);
  made.node_id = detail::view_of(info.node_id);
  made.process_id = detail::view_of(info.process_id);
  made.name_space = detail::view_of(info.name_space);
  made.actor_id = detail::view_of(info.actor_id);
  made.is_worker = info.is_worker != 0;
  if (const detail::Call* call = detail::current_call()) {
    made.in_call = true;
    made.attempt = call->view().attempt;
    for (int i = 0; i < 64; ++i) {
      if ((call->view().gpu_mask >> i & 1) != 0) {
        made.gpu_ids.push_back(i);
      }
    }
  }
  return made;
}

SABIR_NAMESPACE_END

#endif  // SABIR_CONTEXT_HPP_
