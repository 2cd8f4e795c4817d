// A zygote for tests, as small as can be. test_zygote MODE FD:
//   good   forks workers that print their token and run the session's `env` variable TEST_ACTION: sleep, exit or crash
//   mute   never answers
//   die    prints two lines to standard error and exits with 3 before it is ready
//   stop   exits at the first fork request
//   babble sends something that is no JSON
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>

namespace {

using Json = nlohmann::json;

void say(int channel, const Json& packet) {
  std::string text = packet.dump();
  if (::send(channel, text.data(), text.size(), 0) < 0) {
    ::_exit(4);
  }
}

[[noreturn]] void work(const Json& request, int output, int error, pid_t daemon) {
  ::setsid();
  while (::getppid() != daemon) {
    ::usleep(100);
  }
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::dup2(output, 1);
  ::dup2(error, 2);
  std::string action = request["env"].value("TEST_ACTION", "sleep");
  std::string line = "worker " + request["fork"].get<std::string>() + "\n";
  if (::write(1, line.data(), line.size()) < 0 || action == "exit") {
    ::_exit(7);
  }
  if (action == "crash") {
    ::raise(SIGKILL);
  }
  while (true) {
    ::pause();
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::string mode = argc > 2 ? argv[1] : "";
  int channel = argc > 2 ? static_cast<int>(std::strtol(argv[2], nullptr, 10)) : -1;
  if (mode == "die") {
    std::fprintf(stderr, "cannot import sabir\nno such module\n");
    return 3;
  }
  if (mode == "mute") {
    ::pause();
  }
  if (mode == "babble") {
    if (::send(channel, "hello", 5, 0) < 0) {
      return 4;
    }
    ::pause();
  }
  pid_t daemon = ::getppid();
  say(channel, {{"ready", true}, {"warm", false}});
  while (true) {
    char text[65536];
    alignas(cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))];
    iovec part = {text, sizeof(text)};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    ssize_t size_bytes = ::recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
    if (size_bytes <= 0) {
      return 0;
    }
    Json request = Json::parse(text, text + size_bytes);
    if (request.contains("warm_up")) {
      say(channel, {{"ready", true}, {"warm", true}});
      continue;
    }
    if (mode == "stop") {
      return 5;
    }
    int fds[2] = {-1, -1};
    if (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr) {
      std::memcpy(fds, CMSG_DATA(header), sizeof(fds));
    }
    int report[2];
    if (::pipe(report) != 0) {
      return 4;
    }
    pid_t middle = ::fork();
    if (middle == 0) {
      pid_t worker = ::fork();
      if (worker == 0) {
        ::close(channel);
        ::close(report[0]);
        ::close(report[1]);
        work(request, fds[0], fds[1], daemon);
      }
      ::_exit(::write(report[1], &worker, sizeof(worker)) == sizeof(worker) ? 0 : 1);
    }
    ::waitpid(middle, nullptr, 0);
    pid_t worker = 0;
    if (::read(report[0], &worker, sizeof(worker)) != sizeof(worker)) {
      return 4;
    }
    for (int fd : {report[0], report[1], fds[0], fds[1]}) {
      ::close(fd);
    }
    say(channel, {{"forked", request["fork"]}, {"pid", worker}});
  }
}
