// Actors: state, order, names, handles, ends.
#include "support/fixture.hpp"

namespace sabir_test {
namespace {

using sabir::ActorHandle;
using sabir::ActorOptions;
using testing::ElementsAre;
using testing::HasSubstr;

class Actors : public WithSession {};

TEST_F(Actors, StateAndOrder) {
  ActorHandle<Counter> counter = sabir::actor(Counter::create).remote(5);
  EXPECT_EQ(counter.task(&Counter::add).remote(2).get(), 7);
  EXPECT_EQ(counter.task(&Counter::value).remote().get(), 7);
  std::vector<int> wanted;
  for (int i = 0; i < 1000; ++i) {
    // Some wait for a value; those behind them wait, too.
    if (i % 100 == 0) {
      counter.task(&Counter::append).remote(sabir::task(slow).remote(1, i));
    } else {
      counter.task(&Counter::append).remote(i);
    }
    wanted.push_back(i);
  }
  EXPECT_EQ(counter.task(&Counter::seen).remote().get(), wanted);
  EXPECT_EQ(counter.class_name(), "sabir_test::Counter");
  EXPECT_EQ(counter.language(), sabir::Language::kCpp);
}

TEST_F(Actors, Constructors) {
  EXPECT_EQ(sabir::actor(sabir::construct<Counter, int>).remote(3).task(&Counter::value).remote().get(), 3);
}

// The object is of a class with two bases: methods of each find their part of it.
TEST_F(Actors, MethodsOfBaseClasses) {
  auto counter = sabir::actor(Counter::create).remote(8);
  EXPECT_EQ(counter.task(&Base::base_name).remote().get(), "base of 8");
  EXPECT_EQ(counter.task(&Base::kind).remote().get(), "counter");
  EXPECT_EQ(counter.task(&Other::other).remote().get(), 101);
}

TEST_F(Actors, HandlesTravel) {
  auto first = sabir::actor(Counter::create).remote(1);
  auto second = sabir::actor(Counter::create).remote(2);
  EXPECT_EQ(first.task(&Counter::add_to).remote(second, 5).get(), 7);
  EXPECT_EQ(sabir::task(call_counter).remote(first).get(), 11);
  EXPECT_EQ(sabir::put(std::vector<ActorHandle<Counter>>{first}).get()[0].task(&Counter::value).remote().get(), 11);
}

TEST_F(Actors, WhatTheyKeepStays) {
  auto counter = sabir::actor(Counter::create).remote(0);
  counter.task(&Counter::keep).remote(sabir::task(plus).remote(20, 22)).get();
  std::vector<int> numbers(100000, 3);
  counter.task(&Counter::keep_tensor).remote(sabir::Tensor<int>::of(numbers)).get();
  EXPECT_EQ(counter.task(&Counter::kept).remote().get(), 42);
  EXPECT_EQ(counter.task(&Counter::tensor_sum).remote().get(), 300000);
  // A small one came within the call: it was copied.
  counter.task(&Counter::keep_tensor).remote(sabir::Tensor<int>::of({1, 2, 3})).get();
  for (int i = 0; i < 50; ++i) {
    counter.task(&Counter::append).remote(i).get();
  }
  EXPECT_EQ(counter.task(&Counter::tensor_sum).remote().get(), 6);
}

TEST_F(Actors, Names) {
  ActorOptions options;
  options.name = "the counter";
  auto counter = sabir::actor(Counter::create).options(options).remote(1);
  EXPECT_EQ(counter.name(), "the counter");
  EXPECT_THROW(sabir::actor(Counter::create).options(options).remote(1), sabir::NameTakenError);
  EXPECT_EQ(sabir::actor(Counter::create).options(options).try_remote(1).status(), SABIR_ALREADY_EXISTS);
  EXPECT_EQ(sabir::get_actor<Counter>("the counter").task(&Counter::add).remote(1).get(), 2);
  options.get_if_exists = true;
  EXPECT_EQ(sabir::actor(Counter::create).options(options).remote(50).id(), counter.id());
  EXPECT_EQ(sabir::try_get_actor<Counter>("nobody").status(), SABIR_NOT_FOUND);
  // By name, without its class at hand.
  auto unknown = sabir::get_actor("the counter");
  EXPECT_EQ(unknown.task<int>("Counter::add").remote(1).get(), 3);
  EXPECT_EQ(unknown.task<int>("add").remote(1).get(), 4);
  EXPECT_TRUE(unknown.task<bool>("__sabir_ready__").remote().get());
  EXPECT_EQ(sabir::cpp_actor_class("Counter").remote(4).task<int>("value").remote().get(), 4);
}

TEST_F(Actors, Errors) {
  auto counter = sabir::actor(Counter::create).remote(1);
  auto error = error_of<sabir::NotFoundError>(counter.as<void>().task<int>("no_such").remote());
  EXPECT_THAT(error.message(), HasSubstr("no method of sabir_test::Counter 'no_such'"));
  EXPECT_THAT(error.message(), HasSubstr("Counter::add"));
  EXPECT_THAT(error_of<sabir::InvalidArgumentError>(counter.as<void>().task<int>("add").remote()).message(),
              HasSubstr("takes 1 arguments, not 0"));
  auto broken = error_of<sabir::ActorDiedError>(sabir::actor(Broken::create).remote().task(&Broken::call).remote());
  EXPECT_THAT(broken.what(), HasSubstr("this class cannot be made"));
  // A method of another class: the actor goes on.
  EXPECT_THAT(error_of<sabir::InvalidArgumentError>(counter.as<Broken>().task(&Broken::call).remote()).message(),
              HasSubstr("the actor is no sabir_test::Broken"));
  EXPECT_EQ(counter.task(&Counter::value).remote().get(), 1);
}

TEST_F(Actors, Ends) {
  auto killed = sabir::actor(Counter::create).remote(1);
  killed.task(&Counter::value).remote().get();
  auto waiting = killed.task(&Counter::sleep).remote(20000);
  killed.kill();
  error_of<sabir::ActorDiedError>(waiting);
  error_of<sabir::ActorDiedError>(killed.task(&Counter::value).remote());

  auto leaving = sabir::actor(Counter::create).remote(1);
  EXPECT_THAT(error_of<sabir::ActorDiedError>(leaving.task(&Counter::leave).remote()).message(),
              HasSubstr("exit_actor"));
  error_of<sabir::ActorDiedError>(leaving.task(&Counter::value).remote());

  auto crashing = sabir::actor(Counter::create).remote(1);
  error_of<sabir::ActorDiedError>(crashing.task(&Counter::crash).remote());

  ActorOptions restarts;
  restarts.max_restarts = 1;
  restarts.max_task_retries = 1;
  auto restarting = sabir::actor(Counter::create).options(restarts).remote(7);
  int before = restarting.task(&Counter::pid).remote().get();
  restarting.kill(false);
  EXPECT_NE(restarting.task(&Counter::pid).remote().get(), before);
  EXPECT_EQ(restarting.task(&Counter::value).remote().get(), 7);
}

}  // namespace
}  // namespace sabir_test
