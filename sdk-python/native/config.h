// A Python dict as sabir_config: what sabir.init() and `sabir start` hand to the core.
#pragma once

#include <deque>
#include <vector>

#include "sdk-python/native/state.h"

namespace sabir::python {

// Holds what the sabir_config points to, beside the texts, which stay in the dict: keep that alive as well.
class Config {
 public:
  Config() = default;
  Config(const Config&) = delete;
  Config& operator=(const Config&) = delete;

  // False: a Python exception is set. Absent entries keep the core's default.
  bool read(PyObject* dict);
  const sabir_config* get() const { return &config_; }

 private:
  bool read_language_envs(PyObject* list);

  sabir_config config_ = SABIR_CONFIG_INIT;
  std::vector<sabir_resource> resources_;
  std::vector<sabir_label> labels_;
  std::vector<sabir_language_env> envs_;
  std::vector<uint32_t> slots_per_process_;
  std::deque<std::vector<sabir_string>> argvs_;  // deque: the arrays must not move
};

}  // namespace sabir::python
