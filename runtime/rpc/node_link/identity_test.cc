#include "runtime/rpc/node_link/identity.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

namespace sabir::node_link {
namespace {

using testing::HasSubstr;

class IdentityTest : public testing::Test {
 protected:
  IdentityTest() { directory_ = mkdtemp(name_.data()); }
  ~IdentityTest() override { std::filesystem::remove_all(directory_); }

  std::string file() const { return directory_ + "/node.pem"; }

  std::string name_ = "/tmp/sabir-identity-XXXXXX";
  std::string directory_;
};

TEST_F(IdentityTest, IsMadeOnceAndPrivate) {
  auto first = Identity::load_or_create(directory_);
  ASSERT_TRUE(first.ok()) << first.error().to_string();
  auto second = Identity::load_or_create(directory_);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(first->fingerprint(), second->fingerprint());
  struct stat status {};
  ASSERT_EQ(stat(file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  auto entries = std::filesystem::directory_iterator(directory_);
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 1) << "nothing is left beside the file";
  EXPECT_NE(Identity::create()->fingerprint(), first->fingerprint());
}

TEST_F(IdentityTest, ThoseThatStartAtOnceAgree) {
  std::vector<std::string> prints(6);
  std::vector<std::thread> threads;
  for (std::string& print : prints) {
    threads.emplace_back([this, &print] { print = Identity::load_or_create(directory_).value().fingerprint().hex(); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(prints, std::vector<std::string>(6, prints[0]));
}

TEST_F(IdentityTest, AKeyThatOthersMayReadIsRefused) {
  ASSERT_TRUE(Identity::load_or_create(directory_).ok());
  ASSERT_EQ(chmod(file().c_str(), 0640), 0);
  auto again = Identity::load_or_create(directory_);
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().kind(), ErrorKind::kInvalid);
  EXPECT_THAT(again.error().message(), HasSubstr("mode 0600"));
}

TEST_F(IdentityTest, ADamagedFileIsAnErrorAndStays) {
  ASSERT_TRUE(Identity::load_or_create(directory_).ok());
  for (off_t size_bytes : {0, 100, 300}) {
    ASSERT_EQ(truncate(file().c_str(), size_bytes), 0);
    auto again = Identity::load_or_create(directory_);
    ASSERT_FALSE(again.ok());
    EXPECT_THAT(again.error().message(), HasSubstr("holds no key with its certificate"));
    EXPECT_EQ(static_cast<off_t>(std::filesystem::file_size(file())), size_bytes);
  }
}

TEST_F(IdentityTest, AKeyOfAnotherCertificateIsRefused) {
  std::string other = directory_ + "/other";
  ASSERT_EQ(mkdir(other.c_str(), 0700), 0);
  ASSERT_TRUE(Identity::load_or_create(directory_).ok());
  ASSERT_TRUE(Identity::load_or_create(other).ok());
  auto content = [](const std::string& path) {
    std::ifstream stream(path);
    return std::string(std::istreambuf_iterator<char>(stream), {});
  };
  std::string mine = content(file());
  std::string theirs = content(other + "/node.pem");
  size_t cut = mine.find("-----BEGIN CERTIFICATE");
  ASSERT_NE(cut, std::string::npos);
  std::ofstream(file()) << mine.substr(0, cut) << theirs.substr(theirs.find("-----BEGIN CERTIFICATE"));
  EXPECT_FALSE(Identity::load_or_create(directory_).ok());
}

TEST_F(IdentityTest, ASymbolicLinkIsNotFollowed) {
  ASSERT_EQ(symlink("/dev/null", file().c_str()), 0);
  EXPECT_FALSE(Identity::load_or_create(directory_).ok());
}

TEST_F(IdentityTest, WithoutTheDirectoryThereIsNoIdentity) {
  auto identity = Identity::load_or_create(directory_ + "/none");
  ASSERT_FALSE(identity.ok());
  EXPECT_EQ(identity.error().kind(), ErrorKind::kNotFound);
}

}  // namespace
}  // namespace sabir::node_link
