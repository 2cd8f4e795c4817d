// How workers of other languages are started, as far as it needs no session.
#include "sabir/language_env.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "sabir/client.hpp"

namespace sabir_test {
namespace {

using sabir::detail::ask_program;
using sabir::detail::find_java_jar;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;

class Folder : public testing::Test {
 protected:
  void SetUp() override {
    char path[] = "/tmp/sabir-cpp-XXXXXX";
    folder_ = mkdtemp(path);
  }
  void TearDown() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  std::string file(const std::string& name, const std::string& text = "") {
    std::string path = folder_ + "/" + name;
    std::ofstream(path) << text;
    chmod(path.c_str(), 0755);
    return path;
  }

  std::string folder_;
};

TEST_F(Folder, TheJarOnTheCodePath) {
  EXPECT_EQ(find_java_jar({}), "");
  EXPECT_EQ(find_java_jar({folder_, "/does/not/exist", "/does/not/exist/sabir-java.jar"}), "");
  std::string other = file("prices.jar");
  EXPECT_EQ(find_java_jar({folder_, other}), "");
  std::string jar = file("sabir-java-1.0.jar");
  file("sabir-java-2.0.jar");
  EXPECT_EQ(find_java_jar({other, folder_}), jar);
  EXPECT_EQ(find_java_jar({folder_ + "/sabir-java-2.0.jar", folder_}), folder_ + "/sabir-java-2.0.jar");
}

TEST_F(Folder, JavaWorkersAreStartedByTheProgramBesideTheLibrary) {
  sabir::LanguageEnv env = sabir::detail::java_env("/x/sabir-java.jar", {"-Xmx1g", "-ea"});
  EXPECT_EQ(env.language, sabir::Language::kJava);
  EXPECT_EQ(env.mode, sabir_launch_mode{SABIR_LAUNCH_EXEC});
  EXPECT_THAT(env.argv, ElementsAre(EndsWith("/sabir-java-worker"), "/x/sabir-java.jar", "-Xmx1g", "-ea"));
}

TEST_F(Folder, AJarThatIsNotThere) {
  sabir::Config config;
  config.address = "auto";
  config.session_root = folder_;
  config.java_jar = folder_ + "/sabir-java.jar";
  sabir::Result<void> result = sabir::try_init(config);
  EXPECT_EQ(result.status(), SABIR_NOT_FOUND);
  EXPECT_EQ(result.error().message, "Config::java_jar: " + config.java_jar + " is not a file");
  config.java_jar = "";
  setenv("SABIR_JAVA_JAR", folder_.c_str(), 1);
  EXPECT_EQ(sabir::try_init(config).error().message, "SABIR_JAVA_JAR: " + folder_ + " is not a file");
  unsetenv("SABIR_JAVA_JAR");
}

TEST_F(Folder, ANumberOfSlotsThatCannotBeWithoutAJarEither) {
  sabir::Config config;
  config.address = folder_;
  for (int64_t slots : {int64_t{0}, int64_t{-1}, int64_t{65}, int64_t{1} << 40, (int64_t{1} << 40) + 1}) {
    config.slots_per_jvm = slots;
    sabir::Result<void> result = sabir::try_init(config);
    EXPECT_EQ(result.status(), SABIR_INVALID_ARGUMENT);
    EXPECT_EQ(result.error().message, std::to_string(slots) + " slots per JVM: 1 to 64");
  }
  config.slots_per_jvm = 64;
  EXPECT_EQ(sabir::try_init(config).error().message.find("slots"), std::string::npos);
}

TEST_F(Folder, WhatAProgramAnswers) {
  EXPECT_EQ(ask_program({"sh", "-c", "echo yes; echo no >&2"}, sabir::kForever).out, "yes\n");
  EXPECT_EQ(ask_program({"cat"}, sabir::kForever).problem, "");  // its input is empty
  EXPECT_EQ(ask_program({"sh", "-c", "echo why >&2; exit 3"}, sabir::kForever).problem, "it failed: why\n");
  EXPECT_EQ(ask_program({folder_ + "/none"}, sabir::kForever).problem, "No such file or directory");
  sabir::detail::ProgramAnswer slow = ask_program({"sleep", "1000"}, std::chrono::milliseconds(50));
  EXPECT_EQ(slow.problem, "it did not answer in time");
  EXPECT_THAT(ask_program({"yes"}, sabir::kForever).problem, HasSubstr("it wrote far more than an answer: "));
}

TEST_F(Folder, AnInterpreterAnswersWithItsCommandAndItsPath) {
  std::string python = file("python",
                            "#!/bin/sh\n[ \"$*\" = '-m sabir language-env' ] || exit 1\n"
                            "echo '{\"argv\": [\"py\", \"zygote\"], \"path\": [\"/modules\"]}'\n");
  sabir::detail::PythonEnv env = sabir::detail::python_env(python, sabir::kForever);
  EXPECT_EQ(env.env.mode, sabir_launch_mode{SABIR_LAUNCH_ZYGOTE});
  EXPECT_THAT(env.env.argv, ElementsAre("py", "zygote"));
  EXPECT_THAT(env.path, ElementsAre("/modules"));
  std::string other = file("other", "#!/bin/sh\necho '{}'\n");
  try {
    sabir::detail::python_env(other, sabir::kForever);
    FAIL();
  } catch (const sabir::NotFoundError& error) {
    EXPECT_THAT(error.message(), HasSubstr("'" + other + "' does not run, or has no package sabir: it answered: {}"));
  }
}

}  // namespace
}  // namespace sabir_test
