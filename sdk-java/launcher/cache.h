// The user's cache of workers' commands: one small file each, replaced at once, so that any number of processes may
// read and write at the same time.
#ifndef SABIR_SDK_JAVA_LAUNCHER_CACHE_H_
#define SABIR_SDK_JAVA_LAUNCHER_CACHE_H_

#include <optional>

#include "sdk-java/launcher/words.h"

namespace sabir_java {

class Cache {
 public:
  // Below $XDG_CACHE_HOME, else $HOME/.cache, where the SDK keeps its native files, too. Without either, or where it
  // cannot be written, nothing is kept.
  static Cache of_user();

  explicit Cache(std::string folder) : folder_(std::move(folder)) {}

  // The command that was kept for this key. Files of other users and those that others may write are ignored: what is
  // in them is executed.
  std::optional<Words> find(const Words& key) const;
  void keep(const Words& key, const Words& command) const;

 private:
  std::string file(const Words& key) const;

  std::string folder_;  // "": none
};

}  // namespace sabir_java

#endif  // SABIR_SDK_JAVA_LAUNCHER_CACHE_H_
