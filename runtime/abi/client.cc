// sabir.h: the client.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <string>
#include <utility>

#include "runtime/abi/handles.h"
#include "runtime/base/hex.h"
#include "runtime/base/version.h"

namespace {

using namespace sabir;
using namespace sabir::abi;

// The clients of this process: one driver, or the workers that share it. A place holds what an anchor knows (it is
// never freed, and tells a fork apart); while its client starts, an odd number that names the process.
using Place = std::atomic<uintptr_t>;
Place driver_place{0};
std::array<Place, rpc::kMaxSlotsPerProcess> worker_places{};

uintptr_t starting_mark() { return (static_cast<uintptr_t>(::getpid()) << 1) | 1; }

// After a fork they are the parent's; then they do not count.
bool is_taken(uintptr_t value) {
  if ((value & 1) != 0) {
    return value == starting_mark();
  }
  return value != 0 && !reinterpret_cast<const client::Anchor*>(value)->forked();
}

bool take(Place& place) {
  uintptr_t seen = place.load(std::memory_order_acquire);
  return !is_taken(seen) && place.compare_exchange_strong(seen, starting_mark(), std::memory_order_seq_cst);
}

// A place for one more client, given back unless it was filled.
class Start {
 public:
  explicit Start(bool is_worker) {
    if (!is_worker) {
      bool workers = std::any_of(worker_places.begin(), worker_places.end(), [](Place& one) { return is_taken(one); });
      place_ = !workers && take(driver_place) ? &driver_place : nullptr;
      return;
    }
    if (!is_taken(driver_place)) {
      auto free = std::find_if(worker_places.begin(), worker_places.end(), [](Place& one) { return take(one); });
      place_ = free != worker_places.end() ? &*free : nullptr;
    }
  }
  Start(const Start&) = delete;
  Start& operator=(const Start&) = delete;
  ~Start() {
    if (place_ != nullptr) {
      place_->store(0, std::memory_order_release);
    }
  }
  bool free() const { return place_ != nullptr; }
  void fill(const client::Anchor* anchor) {
    std::exchange(place_, nullptr)->store(reinterpret_cast<uintptr_t>(anchor), std::memory_order_release);
  }

 private:
  Place* place_ = nullptr;
};

void give_back(const client::Anchor* anchor) {
  auto value = reinterpret_cast<uintptr_t>(anchor);
  driver_place.compare_exchange_strong(value, 0, std::memory_order_acq_rel);
  for (Place& place : worker_places) {
    value = reinterpret_cast<uintptr_t>(anchor);
    place.compare_exchange_strong(value, 0, std::memory_order_acq_rel);
  }
}

sabir_status adopt(Start& start, Result<std::unique_ptr<client::Client>> made, sabir_client** out_client,
                   sabir_error** out_error) {
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
  handle->job_id = to_hex(welcome.job_id);
  handle->node_id = to_hex(welcome.node_id);
  uint64_t process_id[2] = {core.self.uid(), (uint64_t{welcome.process.slot} << 32) | welcome.process.incarnation};
  handle->process_id = to_hex({reinterpret_cast<const char*>(process_id), sizeof(process_id)});
  handle->name_space = welcome.job_config.name_space;
  handle->job_config = welcome.job_config.opaque;
  handle->actor_id = welcome.actor.present ? to_hex(welcome.actor.actor_id) : "";
  start.fill(core.anchor);
  *out_client = handle;
  return SABIR_OK;
}

Result<client::NodeOptions> node_options(const sabir_config& config) {
  client::NodeOptions options;
  options.daemon_path = view(config.daemon_path);
  options.session_root = view(config.session_root);
  options.store_bytes = config.store_bytes;
  SABIR_ASSIGN_OR_RETURN(options.resources, client::convert_resources(config.resources, config.resource_count));
  if (config.cluster_role > SABIR_CLUSTER_JOIN ||
      (config.cluster_role == SABIR_CLUSTER_JOIN) != (config.join_string.size != 0)) {
    return invalid_error("a node that joins a cluster needs a join string, and no other node has one");
  }
  options.cluster = static_cast<client::NodeOptions::Cluster>(config.cluster_role);
  options.join_string = view(config.join_string);
  options.node_host = view(config.node_host);
  options.node_name = view(config.node_name);
  options.node_port = config.node_port;
  options.insecure = config.insecure != 0;
  if (config.join_life_ns < 0 || (config.join_life_ns != 0 && config.cluster_role != SABIR_CLUSTER_HEAD)) {
    return invalid_error("join_life_ns is above 0, and the head's alone");
  }
  options.join_life_ns = config.join_life_ns;
  if (config.cluster_role != SABIR_CLUSTER_HEAD && (config.state_dir.size != 0 || config.durable != 0)) {
    return invalid_error("state_dir and durable are the head's alone");
  }
  options.state_dir = view(config.state_dir);
  options.durable = config.durable != 0;
  options.ends_with_caller = config.ends_with_caller != 0;
  for (size_t i = 0; i < config.label_count; ++i) {
    const sabir_label& label = config.labels[i];
    if (label.key.size == 0 || view(label.key).find('=') != std::string_view::npos) {
      return invalid_error("a label's key is a text without \"=\", not \"" + std::string(view(label.key)) + "\"");
    }
    options.labels.push_back({std::string(view(label.key)), std::string(view(label.value))});
  }
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
    rpc::LanguageEnv converted{env.language, static_cast<rpc::LaunchMode>(env.mode), {}, 1};
    if (config.slots_per_process != nullptr) {
      converted.slots_per_process = config.slots_per_process[i];
    }
    if (converted.slots_per_process == 0 || converted.slots_per_process > rpc::kMaxSlotsPerProcess) {
      return invalid_error(std::to_string(converted.slots_per_process) + " workers in a process: 1 to " +
                           std::to_string(rpc::kMaxSlotsPerProcess));
    }
    if (converted.slots_per_process > 1 && env.mode != SABIR_LAUNCH_EXEC) {
      return invalid_error("workers that a zygote forks cannot share a process");
    }
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
  Start start(false);
  if (!start.free()) {
    return fail(out_error, SABIR_ALREADY_EXISTS, "this process has a client already: a process has one at a time");
  }
  Result<client::DriverOptions> options = driver_options(*complete);
  if (!options.ok()) {
    return fail(out_error, options.error());
  }
  return adopt(start, client::Client::start_driver(*options), out_client, out_error);
}

sabir_status sabir_client_start_worker(sabir_string session, sabir_string token, sabir_client** out_client,
                                       sabir_error** out_error) {
  Start start(true);
  if (!start.free()) {
    return fail(out_error, SABIR_ALREADY_EXISTS,
                "this process is a driver already, or has " + std::to_string(worker_places.size()) + " workers");
  }
  return adopt(start, client::Client::start_worker(std::string(view(session)), std::string(view(token))), out_client,
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
  give_back(client->client->core().anchor);
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
