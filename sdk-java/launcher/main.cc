// sabir-java-worker JAR [JVM OPTION...]: becomes a worker for Java, for drivers in other languages. It asks the jar how
// a worker is started, which takes a JVM, only when it does not know it from before.
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "sdk-java/launcher/cache.h"
#include "sdk-java/launcher/java.h"

namespace {

using sabir_java::Cache;
using sabir_java::Words;

// What the command depends on beside the files: where native files are unpacked, and options of the JVM itself.
constexpr const char* kVariables[] = {"HOME",      "XDG_CACHE_HOME",    "SABIR_NATIVE_DIR",
                                      "JAVA_HOME", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS"};

int fail(const std::string& text) {
  std::fprintf(stderr, "sabir-java-worker: %s\n", text.c_str());
  return 1;
}

// "" if the file looks like a jar, else what is wrong.
std::string problem_of(const std::string& jar) {
  struct stat about {};
  if (::stat(jar.c_str(), &about) != 0) {
    return "cannot read " + jar + ": " + std::strerror(errno);
  }
  if (!S_ISREG(about.st_mode)) {
    return jar + " is no file: give the path of sabir-java-VERSION.jar";
  }
  std::ifstream in(jar, std::ios::binary);
  char begin[4] = {};
  if (!in.read(begin, sizeof(begin))) {
    return jar + " is not a jar: " + (in.eof() ? "it is too short" : "it cannot be read");
  }
  if (std::memcmp(begin, "PK\3\4", sizeof(begin)) != 0) {
    return jar + " is not a jar: it does not begin as one. Give the path of sabir-java-VERSION.jar";
  }
  return "";
}

// A file by its path, size and time: one that was replaced is another one.
void identify(Words& key, const std::string& path) {
  struct stat about {};
  char real[PATH_MAX];
  ::stat(path.c_str(), &about);
  key.push_back(path);
  key.emplace_back(::realpath(path.c_str(), real) != nullptr ? real : "");
  key.push_back(std::to_string(about.st_size));
  key.push_back(std::to_string(about.st_mtim.tv_sec) + "." + std::to_string(about.st_mtim.tv_nsec));
}

Words key_of(const std::string& java, const std::string& jar, const Words& options) {
  Words key;
  identify(key, java);
  identify(key, jar);
  for (const char* name : kVariables) {
    const char* value = std::getenv(name);
    key.emplace_back(value != nullptr ? value : "");
  }
  key.insert(key.end(), options.begin(), options.end());
  return key;
}

// The native files that the command names may have been cleaned away since.
bool still_holds(const Words& command) {
  constexpr std::string_view kNatives = "-Dsabir.native.dir=";
  for (const std::string& word : command) {
    if (word.compare(0, kNatives.size(), kNatives) == 0 &&
        ::access((word.substr(kNatives.size()) + "/libsabir_jni.so").c_str(), R_OK) != 0) {
      return false;
    }
  }
  return !command.empty() && ::access(command[0].c_str(), X_OK) == 0;
}

int execute(const Words& command) {
  std::vector<char*> argv;
  for (const std::string& word : command) {
    argv.push_back(const_cast<char*>(word.c_str()));
  }
  argv.push_back(nullptr);
  ::execv(argv[0], argv.data());
  return fail("cannot execute " + command[0] + ": " + std::strerror(errno));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    return fail("usage: sabir-java-worker JAR [JVM OPTION...]; sabird starts it");
  }
  char real[PATH_MAX];
  std::string jar = ::realpath(argv[1], real) != nullptr ? real : argv[1];
  Words options(argv + 2, argv + argc);
  if (std::string problem = problem_of(jar); !problem.empty()) {
    return fail(problem);
  }
  std::string error;
  std::optional<std::string> java = sabir_java::find_java(error);
  if (!java) {
    return fail(error);
  }
  Cache cache = Cache::of_user();
  Words key = key_of(*java, jar, options);
  std::optional<Words> command = cache.find(key);
  if (!command || !still_holds(*command)) {
    command = sabir_java::ask_java(*java, jar, options, error);
    if (!command) {
      return fail(error);
    }
    cache.keep(key, *command);
  }
  return execute(*command);
}
