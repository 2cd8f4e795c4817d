// The java of this machine, and what it says when it is asked how a worker is started.
#ifndef SABIR_SDK_JAVA_LAUNCHER_JAVA_H_
#define SABIR_SDK_JAVA_LAUNCHER_JAVA_H_

#include <optional>
#include <string>

#include "sdk-java/launcher/words.h"

namespace sabir_java {

// In JAVA_HOME/bin, else in PATH. Null: `error` says where it was looked for.
std::optional<std::string> find_java(std::string& error);

// Runs `java -cp JAR org.sabir.worker.LaunchCommand OPTION...`. Null: `error` says what went wrong, with what java
// wrote.
std::optional<Words> ask_java(const std::string& java, const std::string& jar, const Words& options,
                              std::string& error);

}  // namespace sabir_java

#endif  // SABIR_SDK_JAVA_LAUNCHER_JAVA_H_
