// sabir.h: the session as a whole, for its members and for tools that only look at it.
#include <ctime>

#include "runtime/abi/handles.h"
#include "runtime/base/session_dir.h"
#include "runtime/client/launch.h"
#include "runtime/rpc/release.h"

using namespace sabir;
using namespace sabir::abi;

namespace {

constexpr int64_t kTimeoutNs = 30 * kSecondNs;

Result<std::unique_ptr<rpc::SessionClient>> observe(const std::string& session_path, int64_t timeout_ns) {
  rpc::HelloInfo hello = rpc::hello_of(rpc::HelloKind::kObserver);
  class Silent final : public rpc::NoticeHandler {
   public:
    void on_log(std::vector<rpc::LogLines>) override {}
    void on_warn(std::string) override {}
    void on_collect() override {}
    void on_exit(std::string) override {}
    void on_group(std::string, Result<void>) override {}
    void on_objects(std::vector<rpc::ObjectChange>) override {}
    void on_disconnect() override {}
  };
  static Silent silent;
  SABIR_ASSIGN_OR_RETURN(auto session, rpc::SessionClient::connect(session_path, hello, timeout_ns));
  SABIR_RETURN_IF_ERROR(session->start(&silent));
  return session;
}

sabir_status give_bytes(Result<std::string>&& bytes, sabir_buffer** out, sabir_error** out_error) {
  if (!bytes.ok()) {
    return fail(out_error, bytes.error());
  }
  *out = make_buffer(*std::move(bytes));
  return SABIR_OK;
}

Result<std::string> read_status(const std::string& address, const std::string& root, int64_t timeout_ns) {
  SABIR_ASSIGN_OR_RETURN(std::string path, client::find_session(address, root, client::Sessions::kOfDriversToo));
  SABIR_ASSIGN_OR_RETURN(auto session, observe(path, timeout_ns));
  return session->status(timeout_ns);
}

Result<void> stop_node(const std::string& address, const std::string& root, int64_t timeout_ns) {
  SABIR_ASSIGN_OR_RETURN(std::string path, client::find_session(address, root, client::Sessions::kOfDriversToo));
  SABIR_ASSIGN_OR_RETURN(auto session, observe(path, timeout_ns));
  Result<void> stopped = session->stop(timeout_ns);
  if (!stopped.ok() && stopped.error().kind() != ErrorKind::kDisconnected) {
    return stopped;
  }
  SteadyClock clock;
  int64_t deadline_ns = clock.now_ns() + timeout_ns;
  // The lock goes with the process: then it is gone, whoever its parent is.
  while (is_session_live(path)) {
    if (clock.now_ns() >= deadline_ns) {
      return timeout_error("the node of " + path + " has not ended yet");
    }
    timespec slice = {0, kMillisecondNs};
    ::nanosleep(&slice, nullptr);
  }
  return {};
}

Result<std::string> drain_node(const std::string& address, const std::string& root, const std::string& node,
                               int64_t deadline_ns, int64_t timeout_ns) {
  SABIR_ASSIGN_OR_RETURN(std::string path, client::find_session(address, root, client::Sessions::kOfDriversToo));
  SABIR_ASSIGN_OR_RETURN(auto session, observe(path, timeout_ns));
  return session->drain(node, deadline_ns, timeout_ns);
}

int64_t finite(int64_t timeout_ns) { return timeout_ns < 0 ? INT64_MAX / 4 : timeout_ns; }

}  // namespace

sabir_status sabir_session_status(sabir_client* client, sabir_buffer** out_json, sabir_error** out_error) {
  Client* self;
  if (sabir_status status = enter(client, &self, out_error); status != SABIR_OK) {
    return status;
  }
  return give_bytes(self->core().self.session().status(kTimeoutNs), out_json, out_error);
}

sabir_status sabir_kv_put(sabir_client* client, sabir_string key, sabir_span value, uint8_t overwrite,
                          uint8_t* out_added, sabir_error** out_error) {
  Client* self;
  if (sabir_status status = enter(client, &self, out_error); status != SABIR_OK) {
    return status;
  }
  Result<bool> added = self->core().self.session().kv_put(std::string(view(key)),
                                                          std::string(static_cast<const char*>(value.data), value.size),
                                                          overwrite != 0, kTimeoutNs);
  uint8_t ignored;
  return give(std::move(added), out_added == nullptr ? &ignored : out_added, out_error);
}

sabir_status sabir_kv_get(sabir_client* client, sabir_string key, sabir_buffer** out_value, sabir_error** out_error) {
  Client* self;
  if (sabir_status status = enter(client, &self, out_error); status != SABIR_OK) {
    return status;
  }
  return give_bytes(self->core().self.session().kv_get(std::string(view(key)), kTimeoutNs), out_value, out_error);
}

sabir_status sabir_kv_delete(sabir_client* client, sabir_string key, uint8_t* out_deleted, sabir_error** out_error) {
  Client* self;
  if (sabir_status status = enter(client, &self, out_error); status != SABIR_OK) {
    return status;
  }
  uint8_t ignored;
  return give(self->core().self.session().kv_delete(std::string(view(key)), kTimeoutNs),
              out_deleted == nullptr ? &ignored : out_deleted, out_error);
}

sabir_status sabir_node_status(sabir_string address, sabir_string session_root, int64_t timeout_ns,
                               sabir_buffer** out_json, sabir_error** out_error) {
  return give_bytes(read_status(std::string(view(address)), std::string(view(session_root)), finite(timeout_ns)),
                    out_json, out_error);
}

sabir_status sabir_node_stop(sabir_string address, sabir_string session_root, int64_t timeout_ns,
                             sabir_error** out_error) {
  return finish(stop_node(std::string(view(address)), std::string(view(session_root)), finite(timeout_ns)), out_error);
}

sabir_status sabir_node_drain(sabir_string address, sabir_string session_root, sabir_string node, int64_t deadline_ns,
                              int64_t timeout_ns, sabir_buffer** out_node_id, sabir_error** out_error) {
  return give_bytes(drain_node(std::string(view(address)), std::string(view(session_root)), std::string(view(node)),
                               deadline_ns < 0 ? -1 : deadline_ns, finite(timeout_ns)),
                    out_node_id, out_error);
}
