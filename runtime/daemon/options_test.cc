#include "runtime/daemon/options.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sabir::daemon {
namespace {

using ::testing::HasSubstr;

Options parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "sabird");
  return parse_options(static_cast<int>(arguments.size()), arguments.data());
}

node::Units amount_of(const Options& options, const std::string& name) {
  for (const node::ResourceRequest& resource : options.resources) {
    if (resource.name == name) {
      return resource.units;
    }
  }
  return -1;
}

TEST(OptionsTest, Defaults) {
  Options options = parse({});
  EXPECT_EQ(options.message, "");
  EXPECT_EQ(amount_of(options, "CPU"), static_cast<node::Units>(usable_cpus()) * node::kUnit);
  EXPECT_GT(amount_of(options, "memory"), 0);
  EXPECT_GT(options.store_bytes, 0u);
  EXPECT_FALSE(options.driver_fd);
  EXPECT_FALSE(options.caller_fd);
  EXPECT_EQ(options.join_life_ms, 0);
  EXPECT_NE(options.session_dir, "");
}

TEST(OptionsTest, EverythingGiven) {
  Options options = parse({"--session-dir",
                           "/tmp/x/y",
                           "--driver-fd",
                           "5",
                           "--resource",
                           "CPU=2.5",
                           "--resource",
                           "memory=1e9",
                           "--resource",
                           "special=0.0001",
                           "--store-bytes",
                           "100000000",
                           "--log-level",
                           "debug",
                           "--foreground",
                           "--caller-fd",
                           "6",
                           "--head",
                           "--state-dir",
                           "/tmp/x/state",
                           "--durable",
                           "--join-life-ms",
                           "1500"});
  EXPECT_EQ(options.message, "");
  EXPECT_EQ(options.session_dir, "/tmp/x/y");
  EXPECT_EQ(options.driver_fd, std::optional<int>(5));
  EXPECT_EQ(amount_of(options, "CPU"), 25'000);
  EXPECT_EQ(amount_of(options, "memory"), 10'000'000'000'000);
  EXPECT_EQ(amount_of(options, "special"), 1);
  EXPECT_EQ(options.store_bytes, 100'000'000u);
  EXPECT_EQ(options.log_level, LogLevel::kDebug);
  EXPECT_TRUE(options.foreground);
  EXPECT_EQ(options.caller_fd, std::optional<int>(6));
  EXPECT_EQ(options.join_life_ms, 1500);
  EXPECT_EQ(options.state_dir, "/tmp/x/state");
  EXPECT_TRUE(options.durable);
}

TEST(OptionsTest, BadInputIsSaidAndNotServed) {
  for (std::vector<const char*> bad : std::vector<std::vector<const char*>>{{"--resource", "CPU=-1"},
                                                                            {"--resource", "CPU=nan"},
                                                                            {"--resource", "CPU=inf"},
                                                                            {"--resource", "CPU=1e300"},
                                                                            {"--resource", "CPU"},
                                                                            {"--resource", "=1"},
                                                                            {"--resource", "CPU=2x"},
                                                                            {"--resource", "CPU="},
                                                                            {"--store-bytes", "5"},
                                                                            {"--store-bytes", "-5"},
                                                                            {"--log-level", "loud"},
                                                                            {"--driver-fd", "-3"},
                                                                            {"--durable"},
                                                                            {"--join", "--state-dir", "/x"},
                                                                            {"--no-such-option"},
                                                                            {"stray"}}) {
    Options options = parse(bad);
    EXPECT_EQ(options.exit_code, 2) << bad[0] << " " << bad.back();
    EXPECT_NE(options.message, "") << bad[0];
  }
  EXPECT_THAT(parse({"--resource", "CPU=nan"}).message, HasSubstr("CPU"));
}

TEST(OptionsTest, VersionAndHelpExitWell) {
  EXPECT_EQ(parse({"--version"}).exit_code, 0);
  EXPECT_THAT(parse({"--version"}).message, HasSubstr("."));
  EXPECT_EQ(parse({"--help"}).exit_code, 0);
  EXPECT_THAT(parse({"--help"}).message, HasSubstr("--session-dir"));
}

}  // namespace
}  // namespace sabir::daemon
