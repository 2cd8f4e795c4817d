#include "runtime/node/cluster/actor_names.h"

#include <gtest/gtest.h>

#include "runtime/node/cluster/view_for_test.h"

namespace sabir::cluster {
namespace {

NamedActor actor(const NodeKey& home, const std::string& id) { return {.home = home, .actor_id = id}; }

TEST(ActorNamesTest, ANameIsOneNodesUntilItIsFree) {
  ActorNames names;
  NodeKey first = node_key(1);
  NodeKey second = node_key(2);
  EXPECT_EQ(names.find({"space", "counter"}).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(names.take({"space", "counter"}, actor(first, "a")).actor_id, "a");
  EXPECT_EQ(names.take({"space", "counter"}, actor(second, "b")).actor_id, "a") << "another node's";
  EXPECT_EQ(names.take({"other", "counter"}, actor(second, "b")).actor_id, "b") << "another namespace";
  EXPECT_EQ(names.take({"space", "counter"}, actor(first, "c")).actor_id, "c") << "a node knows its own";
  names.free({"space", "counter"}, "a");
  EXPECT_EQ(names.find({"space", "counter"})->actor_id, "c") << "a late word about an earlier one";
  names.free({"space", "counter"}, "c");
  EXPECT_EQ(names.take({"space", "counter"}, actor(second, "b")).actor_id, "b");
}

TEST(ActorNamesTest, ANodeTakesItsNamesWithIt) {
  ActorNames names;
  names.take({"space", "one"}, actor(node_key(1, 1), "a"));
  names.take({"space", "two"}, actor(node_key(1, 2), "b"));
  names.node_gone(node_key(1, 1));
  EXPECT_FALSE(names.find({"space", "one"}).ok());
  EXPECT_EQ(names.find({"space", "two"})->actor_id, "b") << "of its next life";
  EXPECT_EQ(names.size(), 1u);
}

}  // namespace
}  // namespace sabir::cluster
