#include "runtime/rpc/node_link/tls.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include "runtime/base/check.h"
#include "runtime/rpc/node_link/openssl.h"

namespace sabir::node_link {

namespace {

// AES with 128 bits first: the fastest with hardware for it.
constexpr const char* kCiphers = "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384";
// How much one system call reads: some records, so that a call and a wake-up are not paid for each.
constexpr size_t kReadBufferBytes = 128 << 10;

class TlsWire final : public Wire {
 public:
  TlsWire(UniqueFd socket, SSL_CTX* context, std::optional<Fingerprint> expected, uint64_t rekey_bytes)
      : Wire(std::move(socket)), ssl_(SSL_new(context)), expected_(expected), rekey_bytes_(rekey_bytes) {
    SABIR_CHECK(ssl_ != nullptr, openssl_failure("make a TLS connection"));
    BIO* bio = BIO_new(bio_method());
    SABIR_CHECK(bio != nullptr, openssl_failure("make a TLS connection"));
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_, bio, bio);
    SSL_set_app_data(ssl_, this);
    if (expected_) {
      SSL_set_connect_state(ssl_);
    } else {
      SSL_set_accept_state(ssl_);
    }
  }
  ~TlsWire() override { SSL_free(ssl_); }

  IoResult handshake() override {
    ERR_clear_error();
    int result = SSL_do_handshake(ssl_);
    return result == 1 ? IoResult{IoStatus::kDone} : why_not(result, "TLS handshake");
  }

  IoResult read(std::span<uint8_t> into) override {
    ERR_clear_error();
    size_t size_bytes = 0;
    int result = SSL_read_ex(ssl_, into.data(), into.size(), &size_bytes);
    return result == 1 ? done_reading(size_bytes) : why_not(result, "read from a node");
  }

  IoResult write(std::span<const uint8_t> bytes) override {
    ERR_clear_error();
    // Not between the attempts of one write. The peer's own keys stay: nobody has to answer.
    if (!write_pending_ && written_bytes() >= rekey_at_bytes_) {
      rekey_at_bytes_ += rekey_bytes_;
      if (SSL_key_update(ssl_, SSL_KEY_UPDATE_NOT_REQUESTED) != 1) {
        return fail({ErrorKind::kSystem, openssl_failure("change a key")});
      }
    }
    size_t size_bytes = 0;
    int result = SSL_write_ex(ssl_, bytes.data(), bytes.size(), &size_bytes);
    write_pending_ = result != 1;
    IoResult written = result == 1 ? done_writing(size_bytes) : why_not(result, "write to a node");
    return written.status == IoStatus::kEnd ? fail(disconnected_error("write to a node: the peer has ended")) : written;
  }

  IoResult end_writing() override {
    ERR_clear_error();
    int result = SSL_shutdown(ssl_);
    // 0: ours is sent, the peer's has not come yet.
    return result >= 0 ? IoResult{IoStatus::kDone} : why_not(result, "end a connection");
  }

  std::optional<Fingerprint> peer_fingerprint() const override {
    X509* certificate = SSL_get0_peer_certificate(ssl_);
    return certificate == nullptr ? std::nullopt : std::optional(fingerprint_of(certificate));
  }

  // Called by OpenSSL for the certificate of the peer; the proof that the peer has its key is OpenSSL's own.
  static int verify(X509_STORE_CTX* store, void*) {
    auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    auto* wire = static_cast<TlsWire*>(SSL_get_app_data(ssl));
    X509* certificate = X509_STORE_CTX_get0_cert(store);
    if (wire->expected_ && (certificate == nullptr || fingerprint_of(certificate) != *wire->expected_)) {
      wire->trouble_ = HandshakeTrouble::kWrongFingerprint;
      X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_UNTRUSTED);
      return 0;
    }
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
  }

 private:
  IoResult why_not(int result, const char* what) {
    int error = SSL_get_error(ssl_, result);
    switch (error) {
      case SSL_ERROR_WANT_READ:
        return {IoStatus::kWantRead};
      case SSL_ERROR_WANT_WRITE:
        return {IoStatus::kWantWrite};
      case SSL_ERROR_ZERO_RETURN:
        return {IoStatus::kEnd};
      default:
        break;
    }
    if (socket_errno_ != 0) {
      ERR_clear_error();
      return fail_io(socket_errno_, what);
    }
    if (end_of_socket_) {
      ERR_clear_error();
      return fail(disconnected_error(std::string(what) + ": the peer broke the connection off"));
    }
    if (trouble_ == HandshakeTrouble::kNone && !SSL_is_init_finished(ssl_)) {
      trouble_ = trouble_of(ERR_GET_REASON(ERR_peek_error()));
    }
    return fail(invalid_error(openssl_failure(what)));
  }

  static HandshakeTrouble trouble_of(int reason) {
    switch (reason) {
      case SSL_R_WRONG_VERSION_NUMBER:
      case SSL_R_HTTP_REQUEST:
      case SSL_R_PACKET_LENGTH_TOO_LONG:
      case SSL_R_RECORD_LENGTH_MISMATCH:
        return HandshakeTrouble::kPeerIsPlain;
      case SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL:
        return HandshakeTrouble::kPeerRefusesTls;
      default:
        return HandshakeTrouble::kNone;
    }
  }

  static const BIO_METHOD* bio_method() {
    static const BIO_METHOD* const kMethod = [] {
      BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "sabir socket");
      SABIR_CHECK(made != nullptr);
      BIO_meth_set_write(made, bio_write);
      BIO_meth_set_read(made, bio_read);
      BIO_meth_set_ctrl(made, bio_ctrl);
      return made;
    }();
    return kMethod;
  }

  // OpenSSL's own socket BIO writes with write(2), which raises SIGPIPE.
  static int bio_write(BIO* bio, const char* bytes, int size_bytes) {
    auto* wire = static_cast<TlsWire*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    while (true) {
      ssize_t sent = send(wire->fd(), bytes, static_cast<size_t>(size_bytes), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent >= 0) {
        return static_cast<int>(sent);
      }
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        BIO_set_retry_write(bio);
        return -1;
      }
      if (errno != EINTR) {
        wire->socket_errno_ = errno;
        return -1;
      }
    }
  }

  static int bio_read(BIO* bio, char* into, int size_bytes) {
    auto* wire = static_cast<TlsWire*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    while (true) {
      ssize_t received = recv(wire->fd(), into, static_cast<size_t>(size_bytes), MSG_DONTWAIT);
      if (received > 0) {
        return static_cast<int>(received);
      }
      if (received == 0) {
        wire->end_of_socket_ = true;
        return 0;
      }
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        BIO_set_retry_read(bio);
        return -1;
      }
      if (errno != EINTR) {
        wire->socket_errno_ = errno;
        return -1;
      }
    }
  }

  static long bio_ctrl(BIO* bio, int command, long, void*) {
    switch (command) {
      case BIO_CTRL_FLUSH:
        return 1;
      case BIO_CTRL_EOF:
        return static_cast<TlsWire*>(BIO_get_data(bio))->end_of_socket_ ? 1 : 0;
      default:
        return 0;
    }
  }

  SSL* ssl_;
  std::optional<Fingerprint> expected_;  // a dialer's
  uint64_t rekey_bytes_;
  uint64_t rekey_at_bytes_ = rekey_bytes_;
  bool write_pending_ = false;
  int socket_errno_ = 0;
  bool end_of_socket_ = false;
};

Result<void> set_up(SSL_CTX* context, const Identity& identity) {
  SSL_CTX_set_options(
      context, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  // The buffers of a connection that says nothing are given back: an idle node has few bytes for each of its peers.
  SSL_CTX_set_mode(context,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_read_buffer_len(context, kReadBufferBytes);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(context, TlsWire::verify, nullptr);
  bool good = SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 &&
              SSL_CTX_set_ciphersuites(context, kCiphers) == 1 && SSL_CTX_set_num_tickets(context, 0) == 1 &&
              SSL_CTX_use_certificate(context, identity.certificate()) == 1 &&
              SSL_CTX_use_PrivateKey(context, identity.key()) == 1;
  return good ? Result<void>() : Error(ErrorKind::kSystem, openssl_failure("set TLS up"));
}

}  // namespace

Result<TlsContext> TlsContext::create(const Identity& identity, uint64_t rekey_bytes) {
  prepare_openssl();
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_method()), SSL_CTX_free);
  if (context == nullptr) {
    return Error(ErrorKind::kSystem, openssl_failure("set TLS up"));
  }
  SABIR_RETURN_IF_ERROR(set_up(context.get(), identity));
  return TlsContext(std::move(context), rekey_bytes);
}

std::unique_ptr<Wire> TlsContext::accept(UniqueFd socket) const {
  return std::make_unique<TlsWire>(std::move(socket), context_.get(), std::nullopt, rekey_bytes_);
}

std::unique_ptr<Wire> TlsContext::dial(UniqueFd socket, const Fingerprint& expected) const {
  return std::make_unique<TlsWire>(std::move(socket), context_.get(), expected, rekey_bytes_);
}

}  // namespace sabir::node_link
