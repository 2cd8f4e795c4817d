// How fast bulk connections are beside plain streams of the same kind, in one process over loopback:
//
//   bazel run //runtime/rpc/node_link:bulk_speed [ROUNDS [MEBIBYTES]]
//
// The plain TLS stream is what a program gets that uses OpenSSL by the book: blocking sockets, SSL_write and SSL_read
// of 1 MiB at a time, the same cipher. All move the same bytes from the same memory into the same memory. The kinds
// take turns, and each figure is the median of its rounds.
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/base/check.h"
#include "runtime/base/clock.h"
#include "runtime/rpc/node_link/address.h"
#include "runtime/rpc/node_link/bulk_connection.h"
#include "runtime/rpc/node_link/identity.h"
#include "runtime/rpc/node_link/openssl.h"
#include "runtime/rpc/node_link/tls.h"

namespace sabir::node_link {
namespace {

constexpr size_t kMemoryBytes = 64 << 20;
constexpr size_t kPieceBytes = 1 << 20;

struct Memory {
  std::vector<uint8_t> source = std::vector<uint8_t>(kMemoryBytes, 's');
  std::vector<uint8_t> destination = std::vector<uint8_t>(kMemoryBytes, 'd');
};

struct Pair {
  UniqueFd sender, receiver;
};

Pair connected() {
  UniqueFd listener = listen_at(look_up({"127.0.0.1", 0}).value().front()).value();
  Pair pair;
  pair.sender = UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  SocketAddress address = local_address(listener.get());
  SABIR_CHECK(connect(pair.sender.get(), address.get(), address.size_bytes) == 0);
  do {
    pair.receiver = UniqueFd(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  } while (!pair.receiver.valid());
  return pair;
}

struct SslDeleter {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

// Seconds that both take, each in a thread.
double timed(const std::function<void()>& send, const std::function<void()>& receive) {
  SteadyClock clock;
  int64_t start_ns = clock.now_ns();
  std::thread sender(send);
  receive();
  sender.join();
  return static_cast<double>(clock.now_ns() - start_ns) / static_cast<double>(kSecondNs);
}

double plain_tls(Memory& memory, const Identity& identity, size_t total_bytes) {
  std::unique_ptr<SSL_CTX, SslDeleter> context(SSL_CTX_new(TLS_method()));
  SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
  SSL_CTX_set_ciphersuites(context.get(), "TLS_AES_128_GCM_SHA256");
  SSL_CTX_use_certificate(context.get(), identity.certificate());
  SSL_CTX_use_PrivateKey(context.get(), identity.key());
  Pair pair = connected();
  std::unique_ptr<SSL, SslDeleter> sender(SSL_new(context.get()));
  std::unique_ptr<SSL, SslDeleter> receiver(SSL_new(context.get()));
  SSL_set_fd(sender.get(), pair.sender.get());
  SSL_set_fd(receiver.get(), pair.receiver.get());
  std::thread accepting([&] { SABIR_CHECK(SSL_accept(receiver.get()) == 1); });
  SABIR_CHECK(SSL_connect(sender.get()) == 1);
  accepting.join();
  return timed(
      [&] {
        for (size_t sent = 0; sent < total_bytes; sent += kPieceBytes) {
          SABIR_CHECK(SSL_write(sender.get(), memory.source.data() + sent % kMemoryBytes, kPieceBytes) == kPieceBytes);
        }
      },
      [&] {
        for (size_t received = 0; received < total_bytes;) {
          size_t at = received % kMemoryBytes;
          int count = SSL_read(receiver.get(), memory.destination.data() + at,
                               static_cast<int>(std::min(kPieceBytes, kMemoryBytes - at)));
          SABIR_CHECK(count > 0);
          received += static_cast<size_t>(count);
        }
      });
}

double plain_tcp(Memory& memory, size_t total_bytes) {
  Pair pair = connected();
  return timed(
      [&] {
        for (size_t sent = 0; sent < total_bytes;) {
          size_t at = sent % kMemoryBytes;
          ssize_t count =
              send(pair.sender.get(), memory.source.data() + at, std::min(kPieceBytes, kMemoryBytes - at), 0);
          SABIR_CHECK(count > 0);
          sent += static_cast<size_t>(count);
        }
      },
      [&] {
        for (size_t received = 0; received < total_bytes;) {
          size_t at = received % kMemoryBytes;
          ssize_t count =
              recv(pair.receiver.get(), memory.destination.data() + at, std::min(kPieceBytes, kMemoryBytes - at), 0);
          SABIR_CHECK(count > 0);
          received += static_cast<size_t>(count);
        }
      });
}

class Countdown {
 public:
  explicit Countdown(size_t count) : left_(count) {}
  void done() {
    std::lock_guard lock(mutex_);
    --left_;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return left_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t left_;
};

// As the transfers of large objects: of 64 MiB each, two at a time.
double bulk(Memory& memory, const Identity& identity, bool tls, bool checksum, size_t total_bytes) {
  Pair pair = connected();
  std::unique_ptr<Wire> sender_wire, receiver_wire;
  if (tls) {
    TlsContext context = TlsContext::create(identity).value();
    sender_wire = context.dial(std::move(pair.sender), identity.fingerprint());
    receiver_wire = context.accept(std::move(pair.receiver));
    bool done[2] = {false, false};
    while (!done[0] || !done[1]) {
      done[0] = done[0] || sender_wire->handshake().status == IoStatus::kDone;
      done[1] = done[1] || receiver_wire->handshake().status == IoStatus::kDone;
    }
  } else {
    sender_wire = make_plain_wire(std::move(pair.sender));
    receiver_wire = make_plain_wire(std::move(pair.receiver));
  }
  auto ignore = [](const Error&) {};  // of two that are closed, one is the first
  BulkConnection sender(std::move(sender_wire), {.checksum = checksum}, ignore);
  BulkConnection receiver(std::move(receiver_wire), {}, ignore);
  size_t count = total_bytes / kMemoryBytes;
  Countdown countdown(2 * count);
  auto on_end = [&countdown](const Result<void>& result) {
    SABIR_CHECK(result.ok(), result.error().to_string());
    countdown.done();
  };
  SteadyClock clock;
  int64_t start_ns = clock.now_ns();
  for (size_t i = 0; i < count; ++i) {
    uint64_t id = receiver.new_transfer_id();
    receiver.receive({.transfer_id = id, .destination = memory.destination, .on_end = on_end});
    sender.send({.transfer_id = id, .source = memory.source, .on_end = on_end});
  }
  countdown.wait();
  return static_cast<double>(clock.now_ns() - start_ns) / static_cast<double>(kSecondNs);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

int run(long rounds, size_t mebibytes) {
  prepare_openssl();
  size_t total_bytes = std::max<size_t>(1, (mebibytes << 20) / kMemoryBytes) * kMemoryBytes;
  Memory memory;
  Identity identity = Identity::create().value();
  struct Kind {
    const char* name;
    std::function<double()> run;
    size_t beside;  // the kind that it is compared with
    std::vector<double> rates = {};
  };
  std::vector<Kind> kinds = {
      {"plain TLS stream", [&] { return plain_tls(memory, identity, total_bytes); }, 0},
      {"bulk, TLS", [&] { return bulk(memory, identity, true, false, total_bytes); }, 0},
      {"bulk, TLS, checksum", [&] { return bulk(memory, identity, true, true, total_bytes); }, 0},
      {"plain TCP stream", [&] { return plain_tcp(memory, total_bytes); }, 3},
      {"bulk, insecure", [&] { return bulk(memory, identity, false, false, total_bytes); }, 3},
  };
  for (long round = 0; round < rounds; ++round) {
    for (Kind& kind : kinds) {
      kind.rates.push_back(static_cast<double>(total_bytes) / 1e9 / kind.run());
    }
  }
  for (const Kind& kind : kinds) {
    std::vector<double> ratios;
    for (size_t i = 0; i < kind.rates.size(); ++i) {
      ratios.push_back(kind.rates[i] / kinds[kind.beside].rates[i]);
    }
    printf("%-22s %6.2f GB/s  %4.0f %% of the %s\n", kind.name, median(kind.rates), 100 * median(ratios),
           kinds[kind.beside].name);
  }
  return 0;
}

}  // namespace
}  // namespace sabir::node_link

int main(int argc, char** argv) {
  // What is no number counts as 0, and that as 1.
  long rounds = argc > 1 ? strtol(argv[1], nullptr, 10) : 5;
  long mebibytes = argc > 2 ? strtol(argv[2], nullptr, 10) : 1024;
  return sabir::node_link::run(std::max(1l, rounds), static_cast<size_t>(std::max(1l, mebibytes)));
}
