// init and shutdown.
#ifndef SABIR_CLIENT_HPP_
#define SABIR_CLIENT_HPP_

#include <limits.h>

#include <cstdlib>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "sabir/language_env.hpp"
#include "sabir/notices.hpp"
#include "sabir/result.hpp"
#include "sabir/worker.hpp"

SABIR_NAMESPACE_BEGIN

struct Config {
  // "": SABIR_ADDRESS, else a running node of this user, else start one. "local": start one. "auto": a running one.
  // "sabir://...", what `sabir start --head` has printed: visits that cluster, by a node of its own that runs nothing
  // and ends with this program. Otherwise the path of a session directory.
  std::string address = {};
  std::string job_name = {};    // for people; "": the program's name
  std::string name_space = {};  // of actor names; "": one of its own
  Resources resources = {};     // of the node to start; without CPU, the machine's
  uint64_t store_bytes = 0;     // of the node to start; 0: 30 % of the memory
  // Where workers of all languages look for code: shared libraries, folders with them or with Python modules, jars.
  std::vector<std::string> code_search_path = {};
  // The executable of C++ workers: any that calls sabir::init() before it does anything else, such as
  // sabir-cpp-worker. "": this one.
  std::string worker = {};
  // A Python interpreter that has the package sabir, for tasks and actors in Python. "": SABIR_PYTHON, else there are
  // none.
  std::string python = {};
  // The Java SDK, sabir-java-VERSION.jar, for tasks and actors in Java. "": SABIR_JAVA_JAR, else the first
  // sabir-java*.jar on the code path or in a folder of it, else there are none.
  std::string java_jar = {};
  std::vector<std::string> java_options = {};  // of the JVMs of workers, such as -Xmx2g
  int64_t slots_per_jvm = 1;  // Java tasks that run in one JVM at a time, 1 to 64; one that ends it ends the others
  std::vector<LanguageEnv> language_envs = {};  // workers of other languages, before what is said above
  bool log_to_driver = true;                    // print what workers write
  std::string daemon_path = {};                 // "": sabird beside the library, else SABIR_DAEMON
  std::string session_root = {};                // "": the user's
  Duration timeout = std::chrono::seconds(60);  // for the whole start
};

namespace detail {

inline std::string own_executable() {
  char path[PATH_MAX];
  ssize_t size = readlink("/proc/self/exe", path, sizeof(path));
  return size > 0 ? std::string(path, static_cast<size_t>(size)) : "";
}

inline constexpr int64_t kSlotsMax = 64;  // workers that share a process

// The configuration as the C interface takes it.
class RawConfig {
 public:
  explicit RawConfig(const Config& config)
      : config_(config), resources_(0, 0, config.resources), timeout_ns_(timeout_ns(config.timeout)) {
    if (config_.job_name.empty()) {
      std::string program = own_executable();
      config_.job_name = program.substr(program.rfind('/') + 1);
    }
    if (config_.slots_per_jvm < 1 || config_.slots_per_jvm > kSlotsMax) {
      throw_status(SABIR_INVALID_ARGUMENT,
                   std::to_string(config_.slots_per_jvm) + " slots per JVM: 1 to " + std::to_string(kSlotsMax));
    }
    for (std::string& path : config_.code_search_path) {
      path = code_path_entry(path);
    }
    describe_job(add_languages());
  }
  RawConfig(const RawConfig&) = delete;
  RawConfig& operator=(const RawConfig&) = delete;

  sabir_config get() {
    argv_.resize(config_.language_envs.size());
    envs_.clear();
    slots_.clear();
    for (size_t i = 0; i < config_.language_envs.size(); ++i) {
      const LanguageEnv& env = config_.language_envs[i];
      for (const std::string& argument : env.argv) {
        argv_[i].push_back(string_of(argument));
      }
      envs_.push_back({static_cast<sabir_language>(env.language), env.mode, argv_[i].data(), argv_[i].size()});
      slots_.push_back(env.slots_per_process);
    }
    sabir_config raw = SABIR_CONFIG_INIT;
    raw.address = string_of(config_.address);
    raw.daemon_path = string_of(config_.daemon_path);
    raw.session_root = string_of(config_.session_root);
    raw.job_name = string_of(config_.job_name);
    raw.name_space = string_of(config_.name_space);
    raw.resources = resources_.data();
    raw.resource_count = resources_.size();
    raw.store_bytes = config_.store_bytes;
    raw.language_envs = envs_.data();
    raw.language_env_count = envs_.size();
    raw.slots_per_process = slots_.data();
    raw.job_config = {job_.data(), job_.size()};
    raw.log_to_driver = config_.log_to_driver ? 1 : 0;
    raw.language = SABIR_LANGUAGE_CPP;
    raw.timeout_ns = timeout_ns_;
    return raw;
  }

 private:
  // Returns where Python finds modules.
  std::vector<std::string> add_languages() {
    std::string worker = config_.worker.empty() ? own_executable() : config_.worker;
    config_.language_envs.push_back({Language::kCpp, SABIR_LAUNCH_EXEC, {std::move(worker)}, 1});
    bool is_given = !config_.java_jar.empty();
    std::string jar = is_given ? config_.java_jar : environment_variable("SABIR_JAVA_JAR");
    if (!jar.empty() && !is_file(jar)) {
      throw_status(SABIR_NOT_FOUND, (is_given ? "Config::java_jar: " : "SABIR_JAVA_JAR: ") + jar + " is not a file");
    }
    jar = jar.empty() ? find_java_jar(config_.code_search_path) : jar;
    if (!jar.empty()) {
      config_.language_envs.push_back(java_env(jar, config_.java_options));
      config_.language_envs.back().slots_per_process = static_cast<uint32_t>(config_.slots_per_jvm);
    }
    std::string interpreter = config_.python.empty() ? environment_variable("SABIR_PYTHON") : config_.python;
    if (interpreter.empty()) {
      return {};
    }
    PythonEnv python = python_env(interpreter, config_.timeout);
    config_.language_envs.push_back(std::move(python.env));
    return std::move(python.path);
  }
  // What workers of all languages are told of the job; each takes what it knows.
  void describe_job(const std::vector<std::string>& python_path) {
    char folder[PATH_MAX];
    std::vector<std::string> modules;
    for (const std::string& path : config_.code_search_path) {
      if (is_folder(path)) {
        modules.push_back(path);
      }
    }
    modules.insert(modules.end(), python_path.begin(), python_path.end());
    job_ = "{\"code_search_path\": " + json_list(config_.code_search_path) + ", \"sys_path\": " + json_list(modules);
    if (getcwd(folder, sizeof(folder)) != nullptr) {
      job_ += ", \"cwd\": " + json_text(folder);
    }
    job_ += "}";
  }

  Config config_;
  ResourceList resources_;
  int64_t timeout_ns_;
  std::string job_;
  std::vector<std::vector<sabir_string>> argv_;
  std::vector<sabir_language_env> envs_;
  std::vector<uint32_t> slots_;
};

// What init() started in this process.
struct Driver {
  std::mutex mutex;
  std::thread notices;
  bool exit_hook = false;
};
SABIR_LOCAL inline Driver& driver() {
  static auto* made = new Driver;
  return *made;
}

}  // namespace detail

// True between init() and shutdown(), and in workers.
inline bool is_initialized() { return detail::state().client.load(std::memory_order_acquire) != nullptr; }

// Leaves the session: the job's tasks and actors end, and a node that init() started stops. Idempotent; in a worker it
// does nothing.
inline void shutdown() {
  detail::Driver& driver = detail::driver();
  std::lock_guard<std::mutex> lock(driver.mutex);
  sabir_client* client = detail::state().client.load(std::memory_order_acquire);
  if (client == nullptr) {
    return;
  }
  sabir_client_info info = SABIR_CLIENT_INFO_INIT;
  if (sabir_client_get_info(client, &info, nullptr) == SABIR_OK && info.is_worker != 0) {
    return;
  }
  sabir_client_shutdown(client, nullptr);
  if (driver.notices.joinable()) {
    driver.notices.join();
  }
  detail::libraries().attach(nullptr);
  sabir_client_destroy(client);
}

// Joins a session as its driver, starting a node if the address asks for one. In a process that a node started as a
// worker it does not return: the process runs calls until the node ends it. So call it first in main().
inline void init(const Config& config = {}) {
  if (detail::launched_as_worker()) {
    detail::run_worker();
  }
  detail::Driver& driver = detail::driver();
  std::lock_guard<std::mutex> lock(driver.mutex);
  if (is_initialized()) {
    detail::throw_status(SABIR_ALREADY_EXISTS, "sabir::init() was called already: call sabir::shutdown() first");
  }
  detail::RawConfig converted(config);
  sabir_config raw = converted.get();
  sabir_client* client = nullptr;
  detail::check([&](sabir_error** error) { return sabir_client_start(&raw, &client, error); });
  detail::libraries().attach(client);
  driver.notices = std::thread(detail::print_notices, client);
  if (!driver.exit_hook) {
    driver.exit_hook = true;
    std::atexit(shutdown);
  }
}
inline Result<void> try_init(const Config& config = {}) {
  return attempt([&] { init(config); });
}

// init() and, at the end of the block, shutdown().
class Session {
 public:
  explicit Session(const Config& config = {}) { init(config); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() { shutdown(); }
};

SABIR_NAMESPACE_END

#endif  // SABIR_CLIENT_HPP_
