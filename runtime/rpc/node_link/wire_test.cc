// Both kinds of wire, in one thread over a socket pair.
#include "runtime/rpc/node_link/wire.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <string>

#include "runtime/rpc/node_link/tls.h"

namespace sabir::node_link {
namespace {

using testing::HasSubstr;

struct Sockets {
  Sockets() {
    int fds[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
    first.reset(fds[0]);
    second.reset(fds[1]);
  }
  UniqueFd first, second;
};

// Until both are done or one has failed.
std::array<IoStatus, 2> shake_hands(Wire& first, Wire& second) {
  std::array<IoStatus, 2> status = {IoStatus::kWantRead, IoStatus::kWantRead};
  for (int round = 0; round < 20; ++round) {
    Wire* wires[] = {&first, &second};
    for (size_t i = 0; i < 2; ++i) {
      if (status[i] == IoStatus::kWantRead || status[i] == IoStatus::kWantWrite) {
        status[i] = wires[i]->handshake().status;
      }
    }
  }
  return status;
}

std::span<const uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// All of it, whatever the sockets take at a time.
std::string transfer(Wire& from, Wire& to, const std::string& text) {
  std::string received;
  size_t sent = 0;
  std::array<uint8_t, 50000> buffer;
  while (received.size() < text.size()) {
    if (sent < text.size()) {
      IoResult wrote = from.write(bytes_of(text).subspan(sent));
      EXPECT_TRUE(wrote.status == IoStatus::kDone || wrote.status == IoStatus::kWantWrite);
      sent += wrote.size_bytes;
    }
    IoResult read = to.read(buffer);
    if (read.status == IoStatus::kFailed || read.status == IoStatus::kEnd) {
      ADD_FAILURE() << to.error().to_string();
      break;
    }
    received.append(reinterpret_cast<char*>(buffer.data()), read.size_bytes);
  }
  return received;
}

class WireTest : public testing::Test {
 protected:
  Identity first_ = Identity::create().value();
  Identity second_ = Identity::create().value();
  TlsContext first_tls_ = TlsContext::create(first_).value();
  TlsContext second_tls_ = TlsContext::create(second_).value();
  Sockets sockets_;
};

constexpr std::array<IoStatus, 2> kBothDone = {IoStatus::kDone, IoStatus::kDone};

TEST_F(WireTest, BothSidesKnowEachOtherByFingerprint) {
  auto dialer = first_tls_.dial(std::move(sockets_.first), second_.fingerprint());
  auto acceptor = second_tls_.accept(std::move(sockets_.second));
  EXPECT_EQ(shake_hands(*dialer, *acceptor), kBothDone);
  EXPECT_EQ(dialer->peer_fingerprint(), second_.fingerprint());
  EXPECT_EQ(acceptor->peer_fingerprint(), first_.fingerprint());

  std::string large(3 << 20, 'x');
  large += "end";
  EXPECT_EQ(transfer(*dialer, *acceptor, large), large);
  EXPECT_EQ(transfer(*acceptor, *dialer, "back"), "back");
  EXPECT_EQ(dialer->written_bytes(), large.size());
  EXPECT_EQ(acceptor->read_bytes(), large.size());

  std::array<uint8_t, 8> buffer;
  EXPECT_EQ(acceptor->read(buffer).status, IoStatus::kWantRead);
  EXPECT_EQ(dialer->end_writing().status, IoStatus::kDone);
  EXPECT_EQ(acceptor->read(buffer).status, IoStatus::kEnd);
  EXPECT_EQ(transfer(*acceptor, *dialer, "still"), "still") << "the other direction goes on";
}

TEST_F(WireTest, KeysChangeOnTheWay) {
  first_tls_ = TlsContext::create(first_, 100'000).value();
  auto dialer = first_tls_.dial(std::move(sockets_.first), second_.fingerprint());
  auto acceptor = second_tls_.accept(std::move(sockets_.second));
  ASSERT_EQ(shake_hands(*dialer, *acceptor), kBothDone);
  std::string large;
  for (int i = 0; large.size() < 5'000'000; ++i) {
    large += std::to_string(i);
  }
  EXPECT_EQ(transfer(*dialer, *acceptor, large), large);
  EXPECT_EQ(transfer(*acceptor, *dialer, large), large);
}

TEST_F(WireTest, ADialerRefusesAnotherCertificate) {
  auto dialer = first_tls_.dial(std::move(sockets_.first), first_.fingerprint());
  auto acceptor = second_tls_.accept(std::move(sockets_.second));
  auto status = shake_hands(*dialer, *acceptor);
  EXPECT_EQ(status[0], IoStatus::kFailed);
  EXPECT_EQ(dialer->trouble(), HandshakeTrouble::kWrongFingerprint);
  EXPECT_EQ(status[1], IoStatus::kFailed);
  EXPECT_EQ(acceptor->trouble(), HandshakeTrouble::kNone);
}

TEST_F(WireTest, WhatIsNoTlsIsKnownAsThat) {
  auto plain = make_plain_wire(std::move(sockets_.first));
  auto acceptor = second_tls_.accept(std::move(sockets_.second));
  plain->write(bytes_of("GET / HTTP/1.1\r\n\r\n"));
  EXPECT_EQ(acceptor->handshake().status, IoStatus::kFailed);
  EXPECT_EQ(acceptor->trouble(), HandshakeTrouble::kPeerIsPlain);
}

TEST_F(WireTest, ABrokenConnectionIsNoOrderlyEnd) {
  auto dialer = first_tls_.dial(std::move(sockets_.first), second_.fingerprint());
  auto acceptor = second_tls_.accept(std::move(sockets_.second));
  ASSERT_EQ(shake_hands(*dialer, *acceptor), kBothDone);
  dialer.reset();
  std::array<uint8_t, 8> buffer;
  EXPECT_EQ(acceptor->read(buffer).status, IoStatus::kFailed);
  EXPECT_EQ(acceptor->error().kind(), ErrorKind::kDisconnected);
  EXPECT_EQ(acceptor->write(buffer).status, IoStatus::kFailed);
}

TEST_F(WireTest, AnAlteredRecordEndsTheConnection) {
  // The test stands between the two and changes a byte.
  Sockets other;
  auto dialer = first_tls_.dial(std::move(sockets_.first), second_.fingerprint());
  auto acceptor = second_tls_.accept(std::move(other.first));
  auto pass = [](int from, int to, bool alter) {
    std::array<char, 20000> buffer;
    ssize_t count = recv(from, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count > 0) {
      buffer[static_cast<size_t>(count) - 1] ^= alter ? 1 : 0;
      EXPECT_EQ(send(to, buffer.data(), static_cast<size_t>(count), MSG_NOSIGNAL), count);
    }
  };
  for (int i = 0; i < 6; ++i) {
    (void)dialer->handshake();
    pass(sockets_.second.get(), other.second.get(), false);
    (void)acceptor->handshake();
    pass(other.second.get(), sockets_.second.get(), false);
  }
  ASSERT_EQ(dialer->write(bytes_of("hello")).status, IoStatus::kDone);
  pass(sockets_.second.get(), other.second.get(), true);
  std::array<uint8_t, 8> buffer;
  EXPECT_EQ(acceptor->read(buffer).status, IoStatus::kFailed);
  EXPECT_THAT(acceptor->error().message(), HasSubstr("read from a node"));
}

TEST_F(WireTest, PlainIsPlain) {
  auto first = make_plain_wire(std::move(sockets_.first));
  auto second = make_plain_wire(std::move(sockets_.second));
  EXPECT_EQ(shake_hands(*first, *second), kBothDone);
  EXPECT_EQ(first->peer_fingerprint(), std::nullopt);
  std::string large(1 << 20, 'x');
  EXPECT_EQ(transfer(*first, *second, large), large);
  std::array<uint8_t, 8> buffer;
  EXPECT_EQ(first->end_writing().status, IoStatus::kDone);
  EXPECT_EQ(second->read(buffer).status, IoStatus::kEnd);
  first.reset();
  EXPECT_EQ(second->write(bytes_of("x")).status, IoStatus::kFailed);
  EXPECT_EQ(second->error().kind(), ErrorKind::kDisconnected);
}

}  // namespace
}  // namespace sabir::node_link
