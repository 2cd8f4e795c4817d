// sabir.h: the client.
#include <atomic>

#include "runtime/abi/handles.h"
#include "runtime/base/version.h"

namespace {

using namespace sabir;
using namespace sabir::abi;

// The one client of this process. After a fork it is the parent's; then it does not count.
std::atomic<sabir_client*> current{nullptr};
std::atomic<bool> starting{false};

class Start {
 public:
  Start() {
    sabir_client* other = current.load(std::memory_order_acquire);
    bool taken = other != nullptr && !other->client->forked();
    free_ = !taken && !starting.exchange(true, std::memory_order_acq_rel);
  }
  ~Start() {
    if (free_) {
      starting.store(false, std::memory_order_release);
    }
  }
  bool free() const { return free_; }

 private:
  bool free_;
};

sabir_status adopt(Result<std::unique_ptr<client::Client>> made, sabir_client** out_client, sabir_error** out_error) {
  if (!made.ok()) {
    return fail(out_error, made.error());
  }
  auto* handle = new sabir_client;
  handle->client = *std::move(made);
  const client::Core& core = handle->client->core();
  const rpc::WelcomeInfo& welcome = core.self.welcome();
  handle->work_queue = {sabir_queue::Kind::kWork, core.anchor, nullptr};
  handle->notice_queue = {sabir_queue::Kind::kNotices, core.anchor, handle->client->notice_queue()};
  handle->session_path = welcome.session_path;
  handle->job_id = hex(welcome.job_id);
  handle->node_id = hex(welcome.node_id);
  uint64_t process_id[2] = {core.self.uid(), (uint64_t{welcome.process.slot} << 32) | welcome.process.incarnation};
  handle->process_id = hex({reinterpret_cast<const char*>(process_id), sizeof(process_id)});
  handle->name_space = welcome.job_config.name_space;
  handle->job_config = welcome.job_config.opaque;
  handle->actor_id = welcome.actor.present ? hex(welcome.actor.actor_id) : "";
  current.store(handle, std::memory_order_release);
  *out_client = handle;
  return SABIR_OK;
}

Result<client::NodeOptions> node_options(const sabir_config& config) {
  client::NodeOptions options;
  options.daemon_path = view(config.daemon_path);
  options.session_root = view(config.session_root);
  options.store_bytes = config.store_bytes;
  SABIR_ASSIGN_OR_RETURN(options.resources, client::convert_resources(config.resources, config.resource_count));
  return options;
}

Result<client::DriverOptions> driver_options(const sabir_config& config) {
  client::DriverOptions options;
  options.address = view(config.address);
  SABIR_ASSIGN_OR_RETURN(options.node, node_options(config));
  options.job.name = view(config.job_name);
  options.job.name_space = view(config.name_space);
  options.job.opaque.assign(static_cast<const char*>(config.job_config.data), config.job_config.size);
  options.job.log_to_driver = config.log_to_driver != 0;
  options.job.language = config.language;
  for (size_t i = 0; i < config.language_env_count; ++i) {
    const sabir_language_env& env = config.language_envs[i];
    if (env.mode != SABIR_LAUNCH_ZYGOTE && env.mode != SABIR_LAUNCH_EXEC) {
      return invalid_error("a language environment with an unknown launch mode");
    }
    rpc::LanguageEnv converted{env.language, static_cast<rpc::LaunchMode>(env.mode), {}};
    for (size_t j = 0; j < env.argc; ++j) {
      converted.argv.emplace_back(view(env.argv[j]));
    }
    options.job.language_envs.push_back(std::move(converted));
  }
  options.timeout_ns = config.timeout_ns;
  return options;
}

}  // namespace

uint32_t sabir_abi_version(void) { return SABIR_ABI_VERSION; }

sabir_string sabir_version(void) { return {kVersion.data(), kVersion.size()}; }

sabir_status sabir_client_start(const sabir_config* config, sabir_client** out_client, sabir_error** out_error) {
  std::optional<sabir_config> complete = read_struct<sabir_config>(config, SABIR_CONFIG_INIT);
  if (!complete) {
    return fail(out_error, SABIR_INVALID_ARGUMENT, "sabir_config without its struct_size");
  }
  Start start;
  if (!start.free()) {
    return fail(out_error, SABIR_ALREADY_EXISTS, "this process has a client already: a process has one at a time");
  }
  Result<client::DriverOptions> options = driver_options(*complete);
  if (!options.ok()) {
    return fail(out_error, options.error());
  }
  return adopt(client::Client::start_driver(*options), out_client, out_error);
}

sabir_status sabir_client_start_worker(sabir_string session, sabir_string token, sabir_client** out_client,
                                       sabir_error** out_error) {
  Start start;
  if (!start.free()) {
    return fail(out_error, SABIR_ALREADY_EXISTS, "this process has a client already: a process has one at a time");
  }
  return adopt(client::Client::start_worker(std::string(view(session)), std::string(view(token))), out_client,
               out_error);
}

sabir_status sabir_client_shutdown(sabir_client* client, sabir_error** out_error) {
  Client* self;
  if (sabir_status status = enter(client, &self, out_error); status != SABIR_OK) {
    return status;
  }
  self->shutdown();
  return SABIR_OK;
}

void sabir_client_destroy(sabir_client* client) {
  if (client == nullptr || client->client->forked()) {
    return;
  }
  client->client->shutdown();
  sabir_client* expected = client;
  current.compare_exchange_strong(expected, nullptr, std::memory_order_acq_rel);
  delete client;
}

sabir_status sabir_client_get_info(sabir_client* client, sabir_client_info* out_info, sabir_error** out_error) {
  Client* self;
  if (sabir_status status = enter(client, &self, out_error); status != SABIR_OK) {
    return status;
  }
  const rpc::WelcomeInfo& welcome = self->core().self.welcome();
  sabir_client_info info = SABIR_CLIENT_INFO_INIT;
  info.session_path = lend(client->session_path);
  info.job_id = lend(client->job_id);
  info.node_id = lend(client->node_id);
  info.process_id = lend(client->process_id);
  info.name_space = lend(client->name_space);
  info.job_config = {client->job_config.data(), client->job_config.size()};
  info.is_worker = self->core().self.is_worker() ? 1 : 0;
  info.language = welcome.language;
  info.actor_id = lend(client->actor_id);
  return write_struct(out_info, info)
             ? SABIR_OK
             : fail(out_error, SABIR_INVALID_ARGUMENT, "sabir_client_info without its struct_size");
}

sabir_queue* sabir_client_work_queue(sabir_client* client) { return &client->work_queue; }

sabir_queue* sabir_client_notice_queue(sabir_client* client) { return &client->notice_queue; }

sabir_status sabir_node_start(const sabir_config* config, sabir_buffer** out_session, sabir_error** out_error) {
  std::optional<sabir_config> complete = read_struct<sabir_config>(config, SABIR_CONFIG_INIT);
  if (!complete) {
    return fail(out_error, SABIR_INVALID_ARGUMENT, "sabir_config without its struct_size");
  }
  Result<client::NodeOptions> options = node_options(*complete);
  if (!options.ok()) {
    return fail(out_error, options.error());
  }
  Result<std::string> path = client::start_detached_node(*options, complete->timeout_ns);
  if (!path.ok()) {
    return fail(out_error, path.error());
  }
  *out_session = make_buffer(*std::move(path));
  return SABIR_OK;
}
