#include "runtime/rpc/node_link/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/check.h"
#include "runtime/base/fd.h"
#include "runtime/base/ids.h"
#include "runtime/rpc/node_link/openssl.h"

namespace sabir::node_link {

namespace {

constexpr const char* kFileName = "/node.pem";
constexpr int kVersion3 = 2;  // X.509 counts from 0
constexpr size_t kSerialBytes = 16;
// RFC 5280's dates for "always": from before any clock of today to the one that means no end.
constexpr const char* kNotBefore = "20000101000000Z";
constexpr const char* kNotAfter = "99991231235959Z";
constexpr int64_t kMaxFileBytes = 64 << 10;

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;

Error failure(std::string_view what) { return {ErrorKind::kSystem, openssl_failure(what)}; }

// Whoever asks for a passphrase on a daemon's terminal waits for ever.
int no_passphrase(char*, int, int, void*) { return -1; }

bool fill(X509* certificate, EVP_PKEY* key) {
  uint8_t serial[kSerialBytes];
  if (RAND_bytes(serial, sizeof(serial)) != 1) {
    return false;
  }
  serial[0] &= 0x7f;  // positive
  std::unique_ptr<BIGNUM, decltype(&BN_free)> number(BN_bin2bn(serial, sizeof(serial), nullptr), BN_free);
  X509_NAME* name = X509_get_subject_name(certificate);
  static constexpr unsigned char kName[] = "sabir node";
  return number != nullptr && X509_set_version(certificate, kVersion3) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr &&
         ASN1_TIME_set_string(X509_getm_notBefore(certificate), kNotBefore) == 1 &&
         ASN1_TIME_set_string(X509_getm_notAfter(certificate), kNotAfter) == 1 &&
         X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, kName, -1, -1, 0) == 1 &&
         X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, key) == 1 &&
         X509_sign(certificate, key, EVP_sha256()) > 0;
}

Result<std::string> read_private_file(int fd, const std::string& path) {
  struct stat status {};
  if (fstat(fd, &status) != 0) {
    return Error::from_errno(errno, "look at " + path);
  }
  if (!S_ISREG(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & 077) != 0) {
    return invalid_error(path + " holds this node's private key and must be a file of uid " +
                         std::to_string(geteuid()) + " with mode 0600; remove it to get a new one");
  }
  if (status.st_size > kMaxFileBytes) {
    return invalid_error(path + " is too long for a key and a certificate");
  }
  std::string content(static_cast<size_t>(status.st_size), '\0');
  ssize_t size_bytes = pread(fd, content.data(), content.size(), 0);
  if (size_bytes < 0) {
    return Error::from_errno(errno, "read " + path);
  }
  content.resize(static_cast<size_t>(size_bytes));
  return content;
}

Result<void> write_all(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    ssize_t size_bytes = write(fd, content.data(), content.size());
    if (size_bytes < 0 && errno != EINTR) {
      return Error::from_errno(errno, "write " + path);
    }
    content.remove_prefix(size_bytes < 0 ? 0 : static_cast<size_t>(size_bytes));
  }
  if (fsync(fd) != 0) {
    return Error::from_errno(errno, "write " + path);
  }
  return {};
}

}  // namespace

Fingerprint fingerprint_of(x509_st* certificate) {
  Fingerprint fingerprint;
  unsigned int size_bytes = 0;
  SABIR_CHECK(X509_digest(certificate, EVP_sha256(), fingerprint.bytes.data(), &size_bytes) == 1 &&
              size_bytes == Fingerprint::kSizeBytes);
  return fingerprint;
}

Result<Identity> Identity::create() {
  prepare_openssl();
  Identity identity;
  identity.key_ = std::shared_ptr<EVP_PKEY>(EVP_EC_gen("P-256"), EVP_PKEY_free);
  identity.certificate_ = std::shared_ptr<X509>(X509_new(), X509_free);
  if (identity.key_ == nullptr || identity.certificate_ == nullptr ||
      !fill(identity.certificate_.get(), identity.key_.get())) {
    return failure("make a certificate");
  }
  identity.fingerprint_ = fingerprint_of(identity.certificate_.get());
  return identity;
}

Result<Identity> Identity::load_or_create(const std::string& directory) {
  std::string path = directory + kFileName;
  Result<Identity> loaded = load(path);
  if (loaded.ok() || loaded.error().error_number() != ENOENT) {
    return loaded;
  }
  SABIR_ASSIGN_OR_RETURN(Identity identity, create());
  SABIR_RETURN_IF_ERROR(identity.save(path));
  // Two that start at once in one directory agree: on the file that won.
  return load(path);
}

Result<Identity> Identity::load(const std::string& path) {
  prepare_openssl();
  UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.valid()) {
    return Error::from_errno(errno, "open " + path);
  }
  SABIR_ASSIGN_OR_RETURN(std::string content, read_private_file(file.get(), path));
  Bio bio(BIO_new_mem_buf(content.data(), static_cast<int>(content.size())), BIO_free);
  Identity identity;
  identity.key_ =
      std::shared_ptr<EVP_PKEY>(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr), EVP_PKEY_free);
  identity.certificate_ =
      std::shared_ptr<X509>(PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr), X509_free);
  OPENSSL_cleanse(content.data(), content.size());
  if (identity.key_ == nullptr || identity.certificate_ == nullptr ||
      X509_check_private_key(identity.certificate_.get(), identity.key_.get()) != 1) {
    return invalid_error(openssl_failure(path + " holds no key with its certificate; remove it to get new ones"));
  }
  identity.fingerprint_ = fingerprint_of(identity.certificate_.get());
  return identity;
}

Result<void> Identity::save(const std::string& path) const {
  Bio bio(BIO_new(BIO_s_mem()), BIO_free);
  if (bio == nullptr ||
      PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1 ||
      PEM_write_bio_X509(bio.get(), certificate_.get()) != 1) {
    return failure("write a certificate");
  }
  char* bytes = nullptr;
  long size_bytes = BIO_get_mem_data(bio.get(), &bytes);
  std::string beside = path + "." + IdBits::random().hex();
  UniqueFd file(open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.valid()) {
    return Error::from_errno(errno, "make " + beside);
  }
  Result<void> written = write_all(file.get(), {bytes, static_cast<size_t>(size_bytes)}, beside);
  // A link, not a rename: it leaves alone what another has put there meanwhile.
  if (written.ok() && link(beside.c_str(), path.c_str()) != 0 && errno != EEXIST) {
    written = Error::from_errno(errno, "make " + path);
  }
  unlink(beside.c_str());
  return written;
}

}  // namespace sabir::node_link
