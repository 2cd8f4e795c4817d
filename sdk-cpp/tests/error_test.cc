// Errors: what user code throws, causes, crashes, what is missing; init and shutdown.
#include <sys/wait.h>
#include <unistd.h>

#include "support/fixture.hpp"

namespace sabir_test {
namespace {

using sabir::task;
using testing::HasSubstr;

class Errors : public WithSession {};

TEST_F(Errors, ExceptionsOfEveryKind) {
  auto error = error_of<sabir::TaskError>(task(fail).remote("it was told to"));
  EXPECT_EQ(error.type(), "std::runtime_error");
  EXPECT_EQ(error.language(), sabir::Language::kCpp);
  EXPECT_EQ(error.message(), "fail: std::runtime_error: it was told to");
  EXPECT_EQ(error_of<sabir::TaskError>(task(fail).remote("int")).type(), "int");
  EXPECT_EQ(error_of<sabir::TaskError>(task(fail).remote("struct")).type(), "sabir_test::Unprintable");
  EXPECT_THAT(error_of<sabir::TaskError>(task(fail).remote("text")).message(), HasSubstr("only text"));
  EXPECT_THAT(error_of<sabir::TaskError>(task(fail).remote("not utf-8")).message(), HasSubstr("\xef\xbf\xbd broken"));
  EXPECT_EQ(task(plus).remote(1, 2).get(), 3);
}

TEST_F(Errors, Causes) {
  auto nested = error_of<sabir::TaskError>(task(fail).remote("nested"));
  EXPECT_THAT(nested.message(), HasSubstr("the outer one"));
  ASSERT_NE(nested.cause(), nullptr);
  EXPECT_THAT(nested.cause()->type, HasSubstr("std::out_of_range"));
  // An error of a call within a call.
  auto outer = error_of<sabir::TaskError>(task(call_failing).remote());
  EXPECT_EQ(outer.type(), "sabir::TaskError");
  ASSERT_NE(outer.cause(), nullptr);
  EXPECT_EQ(outer.cause()->type, "std::runtime_error");
  EXPECT_THAT(outer.what(), HasSubstr("Caused by (C++): fail: std::runtime_error: deep down"));
  EXPECT_THAT(outer.what(), HasSubstr("in call_failing"));
  EXPECT_THAT(outer.what(), HasSubstr("in fail"));
}

TEST_F(Errors, ErrorsInArgumentsAndLists) {
  auto failed = sabir::task(fail_until).remote(100);
  EXPECT_THAT(error_of<sabir::TaskError>(task(plus).remote(failed, 1)).message(), HasSubstr("not yet"));
  std::vector<sabir::ObjectRef<int>> refs{task(slow).remote(2000, 1), failed};
  EXPECT_THROW(sabir::get(refs), sabir::TaskError);  // the first error ends it
  EXPECT_EQ(sabir::try_get(refs).status(), SABIR_TASK_FAILED);
}

TEST_F(Errors, ACrashIsOneCallsError) {
  sabir::TaskOptions once;
  once.max_retries = 0;
  auto others = task(slow).remote(50, 9);
  error_of<sabir::WorkerCrashedError>(task(segfault).options(once).remote());
  EXPECT_EQ(others.get(), 9);
  EXPECT_EQ(task(plus).remote(1, 2).get(), 3);
}

TEST_F(Errors, WrongCalls) {
  auto missing = error_of<sabir::NotFoundError>(sabir::cpp_function<int>("minus").remote(1));
  EXPECT_THAT(missing.message(), HasSubstr("there is no function 'minus'"));
  EXPECT_THAT(missing.message(), HasSubstr("this executable: has plus, join"));
  EXPECT_THAT(missing.message(), HasSubstr("no code path"));
  EXPECT_THAT(error_of<sabir::InvalidArgumentError>(sabir::cpp_function<int>("plus").remote(1)).message(),
              HasSubstr("it takes 2 arguments, not 1 (plus: int (*)(int, int))"));
  EXPECT_THAT(error_of<sabir::InvalidArgumentError>(sabir::cpp_function<int>("plus").remote(1, "x")).message(),
              HasSubstr("argument 2: expected an int32, found a string"));
  EXPECT_THAT(
      error_of<sabir::InvalidArgumentError>(sabir::cpp_function<int>("plus").remote(1, sabir::named("b", 2))).message(),
      HasSubstr("no keyword arguments, but it was called with 'b'"));
  EXPECT_THAT(error_of<sabir::InvalidArgumentError>(sabir::cpp_function<std::string>("plus").remote(1, 2)).message(),
              HasSubstr("expected a string, found an integer"));
  auto no_class = error_of<sabir::ActorDiedError>(sabir::cpp_actor_class("plus").remote(1, 2).task<int>("x").remote());
  EXPECT_THAT(no_class.message(), HasSubstr("plus: there is no factory of actors 'plus'"));
  ASSERT_NE(no_class.cause(), nullptr);
  EXPECT_EQ(no_class.cause()->status, SABIR_NOT_FOUND);
  EXPECT_THROW(sabir::task(join).remote("\xff", "x"), sabir::ConversionError);
  EXPECT_THROW(sabir::ObjectRef<int>().get(), sabir::InvalidArgumentError);
}

int unregistered() { return 1; }
TEST_F(Errors, AFunctionThatIsNotRegistered) {
  try {
    sabir::task(unregistered).remote();
    ADD_FAILURE();
  } catch (const sabir::NotFoundError& error) {
    EXPECT_THAT(error.what(), HasSubstr("type int (*)() is not registered"));
  }
}

TEST(Lifecycle, WithoutInit) {
  EXPECT_FALSE(sabir::is_initialized());
  EXPECT_THROW(sabir::put(1), sabir::ClosedError);
  EXPECT_EQ(task(plus).try_remote(1, 2).status(), SABIR_CLOSED);
  sabir::Config nowhere = local();
  nowhere.address = "/nowhere/at/all";
  EXPECT_FALSE(sabir::try_init(nowhere).ok());
}

TEST(Lifecycle, Twice) {
  sabir::ObjectRef<int> old;
  for (int round = 0; round < 2; ++round) {
    sabir::Session session(local(1));
    EXPECT_EQ(sabir::try_init(local()).status(), SABIR_ALREADY_EXISTS);
    EXPECT_EQ(task(plus).remote(round, 1).get(), round + 1);
    old = sabir::put(1);
    EXPECT_TRUE(sabir::context().session_path.find(session_root()) == 0);
  }
  EXPECT_FALSE(sabir::is_initialized());
  EXPECT_THROW(old.get(), sabir::ClosedError);
}

TEST(Lifecycle, Forks) {
  sabir::Session session(local(1));
  sabir::ObjectRef<int> ref = sabir::put(1);
  pid_t child = fork();
  if (child == 0) {
    _exit(ref.try_get().status() == SABIR_FORKED ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(ref.get(), 1);
}

}  // namespace
}  // namespace sabir_test
