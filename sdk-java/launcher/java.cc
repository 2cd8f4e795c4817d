#include "sdk-java/launcher/java.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>

namespace sabir_java {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kLaunchCommand = "org.sabir.worker.LaunchCommand";
// The node gives a worker a minute to start.
constexpr std::chrono::seconds kAnswerTimeout{50};
constexpr size_t kAnswerBytesMax = 1 << 20;
constexpr size_t kShownBytesMax = 4000;

bool is_program(const std::string& path) {
  struct stat about {};
  return ::stat(path.c_str(), &about) == 0 && S_ISREG(about.st_mode) && ::access(path.c_str(), X_OK) == 0;
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::string shown(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
    text.pop_back();
  }
  return text.size() <= kShownBytesMax ? text : text.substr(0, kShownBytesMax) + "...";
}

// A child of which both outputs are read.
struct Child {
  pid_t pid = -1;
  std::array<int, 2> outputs{-1, -1};  // stdout, stderr
};

std::optional<Child> start(const Words& command, std::string& error) {
  std::vector<char*> argv;
  for (const std::string& word : command) {
    argv.push_back(const_cast<char*>(word.c_str()));
  }
  argv.push_back(nullptr);
  int out[2];
  int err[2];
  if (::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0) {
    error = std::string("no pipe: ") + std::strerror(errno);
    return std::nullopt;
  }
  pid_t parent = ::getpid();
  pid_t pid = ::fork();
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    int null = ::open("/dev/null", O_RDONLY);
    if (::getppid() != parent || ::dup2(null, 0) < 0 || ::dup2(out[1], 1) < 0 || ::dup2(err[1], 2) < 0) {
      ::_exit(126);
    }
    ::execv(argv[0], argv.data());
    const char* why = std::strerror(errno);
    [[maybe_unused]] ssize_t written = ::write(2, why, std::strlen(why));
    ::_exit(127);
  }
  ::close(out[1]);
  ::close(err[1]);
  if (pid < 0) {
    error = std::string("no process: ") + std::strerror(errno);
    ::close(out[0]);
    ::close(err[0]);
    return std::nullopt;
  }
  return Child{pid, {out[0], err[0]}};
}

// Reads both outputs to their ends. Returns "", or why it stopped before.
std::string read_outputs(Child& child, std::array<std::string, 2>& texts) {
  Clock::time_point deadline = Clock::now() + kAnswerTimeout;
  int open = 2;
  while (open > 0) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    std::array<pollfd, 2> wanted{{{child.outputs[0], POLLIN, 0}, {child.outputs[1], POLLIN, 0}}};  // -1 is left out
    if (left.count() <= 0 || ::poll(wanted.data(), wanted.size(), static_cast<int>(left.count())) == 0) {
      return "did not answer within " + std::to_string(kAnswerTimeout.count()) + " s";
    }
    for (size_t i = 0; i < wanted.size(); ++i) {
      if (wanted[i].revents == 0) {
        continue;
      }
      char buffer[4096];
      ssize_t count = ::read(child.outputs[i], buffer, sizeof(buffer));
      if (count > 0) {
        texts[i].append(buffer, static_cast<size_t>(count));
        if (texts[i].size() > kAnswerBytesMax) {
          return "wrote far more than an answer";
        }
      } else if (count == 0 || errno != EINTR) {
        ::close(child.outputs[i]);
        child.outputs[i] = -1;
        --open;
      }
    }
  }
  return "";
}

std::string describe_status(int status) {
  return WIFSIGNALED(status) ? std::string("was killed by signal ") + std::to_string(WTERMSIG(status))
                             : "ended with exit code " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

std::optional<std::string> find_java(std::string& error) {
  std::string home = environment("JAVA_HOME");
  if (!home.empty() && is_program(home + "/bin/java")) {
    return home + "/bin/java";
  }
  std::string path = environment("PATH");
  for (size_t begin = 0; begin <= path.size();) {
    size_t end = std::min(path.find(':', begin), path.size());
    std::string folder = path.substr(begin, end - begin);
    if (!folder.empty() && is_program(folder + "/java")) {
      return folder + "/java";
    }
    begin = end + 1;
  }
  error = "there is no java: JAVA_HOME is " + (home.empty() ? "not set" : home + ", which has no bin/java") +
          ", and PATH (" + path + ") has none. Install Java 17 or newer, or set JAVA_HOME";
  return std::nullopt;
}

std::optional<Words> ask_java(const std::string& java, const std::string& jar, const Words& options,
                              std::string& error) {
  Words command{java, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-cp", jar, kLaunchCommand};
  command.insert(command.end(), options.begin(), options.end());
  std::optional<Child> child = start(command, error);
  if (!child) {
    return std::nullopt;
  }
  std::array<std::string, 2> texts;
  std::string stopped = read_outputs(*child, texts);
  if (!stopped.empty()) {
    ::kill(child->pid, SIGKILL);
  }
  for (int fd : child->outputs) {
    if (fd >= 0) {
      ::close(fd);
    }
  }
  int status = 0;
  while (::waitpid(child->pid, &status, 0) < 0 && errno == EINTR) {
  }
  // What matters first: the death of an actor is told in a few hundred bytes.
  const std::string asked = "\n(asked: " + java + " -cp " + jar + " " + kLaunchCommand + ")";
  const std::string output = shown(texts[1].empty() ? texts[0] : texts[1]);
  const std::string said = output.empty() ? ", without a word" : ":\n" + output;
  if (!stopped.empty()) {
    error = "java " + stopped + said + asked;
    return std::nullopt;
  }
  if (status != 0) {
    error = "java " + describe_status(status) + said + asked +
            "\nIs the jar Sabir's (sabir-java-VERSION.jar), and java at least 17?";
    return std::nullopt;
  }
  std::optional<Words> words = parse_json(texts[0]);
  if (!words || words->empty()) {
    error = "java printed no command:\n" + shown(texts[0]) + asked;
    return std::nullopt;
  }
  return words;
}

}  // namespace sabir_java
