#include "runtime/control/placement_groups.h"

#include <gtest/gtest.h>

namespace sabir::control {
namespace {

class PlacementGroupsTest : public ::testing::Test {
 protected:
  static std::string id(char name) { return std::string(16, name); }
  static NodeRef node(char name, uint64_t incarnation = 1) { return {std::string(16, name), incarnation}; }
  static PlacementGroupRecord group(char name, uint32_t bundles = 2) {
    PlacementGroupRecord made;
    made.id = id(name);
    made.name = std::string(1, name);
    made.name_space = "space";
    made.job = 3;
    made.strategy = PlacementStrategy::kStrictSpread;
    made.bundles.resize(bundles);
    for (BundleRecord& bundle : made.bundles) {
      bundle.resources = {{"CPU", 10'000}};
      bundle.labels = {{"zone", "in(west,east)"}};
    }
    return made;
  }
  void restart() {
    groups_.emplace(&storage_);
    ASSERT_TRUE(groups_->load().ok());
  }
  PlacementState state(char name) { return groups_->find(id(name))->state(); }

  MemoryStorage storage_;
  std::optional<PlacementGroups> groups_{&storage_};
};

TEST_F(PlacementGroupsTest, AreMadeStepByStepAndEachSurvives) {
  ASSERT_TRUE(groups_->add(group('g')).ok());
  ASSERT_TRUE(groups_->add(group('g')).ok()) << "the same again";
  restart();
  EXPECT_EQ(*groups_->find(id('g')), group('g'));
  EXPECT_EQ(state('g'), PlacementState::kPending);
  uint64_t attempt = *groups_->prepare(id('g'), {{0, node('a')}, {1, node('b')}});
  restart();
  EXPECT_EQ(state('g'), PlacementState::kPreparing);
  EXPECT_EQ(groups_->find(id('g'))->bundles[1].node, node('b'));
  EXPECT_EQ(groups_->prepare(id('g'), {{0, node('a')}, {1, node('b')}}).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(groups_->committed(id('g'), attempt).error().kind(), ErrorKind::kInvalid) << "not decided yet";
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(groups_->prepared(id('g'), attempt).ok());
  }
  restart();
  EXPECT_EQ(state('g'), PlacementState::kPrepared);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(groups_->committed(id('g'), attempt).ok());
    ASSERT_TRUE(groups_->prepared(id('g'), attempt).ok()) << "said late";
  }
  restart();
  EXPECT_EQ(state('g'), PlacementState::kCreated);
  EXPECT_TRUE(groups_->half_made().empty());
  ASSERT_TRUE(groups_->undo(id('g'), attempt).ok());
  EXPECT_EQ(state('g'), PlacementState::kCreated) << "it is over";
}

TEST_F(PlacementGroupsTest, AnAttemptThatWasUndoneIsOver) {
  ASSERT_TRUE(groups_->add(group('g')).ok());
  uint64_t first = *groups_->prepare(id('g'), {{0, node('a')}, {1, node('b')}});
  ASSERT_TRUE(groups_->undo(id('g'), first).ok());
  ASSERT_TRUE(groups_->undo(id('g'), first).ok());
  EXPECT_EQ(state('g'), PlacementState::kPending);
  EXPECT_EQ(groups_->prepared(id('g'), first).error().kind(), ErrorKind::kInvalid);
  restart();
  uint64_t second = *groups_->prepare(id('g'), {{0, node('a')}, {1, node('c')}});
  EXPECT_GT(second, first);
  EXPECT_EQ(groups_->prepared(id('g'), first).error().kind(), ErrorKind::kInvalid) << "an answer to the first attempt";
  ASSERT_TRUE(groups_->undo(id('g'), first).ok());
  EXPECT_EQ(state('g'), PlacementState::kPreparing) << "nor does its undo mean the second";
  ASSERT_TRUE(groups_->prepared(id('g'), second).ok());
  ASSERT_TRUE(groups_->undo(id('g'), second).ok()) << "a node dropped its reservation before it heard the decision";
  EXPECT_EQ(state('g'), PlacementState::kPending);
  EXPECT_EQ(groups_->committed(id('g'), second).error().kind(), ErrorKind::kInvalid);
}

TEST_F(PlacementGroupsTest, AnAttemptPlacesAllThatHaveNoPlace) {
  ASSERT_TRUE(groups_->add(group('g')).ok());
  EXPECT_EQ(groups_->prepare(id('g'), {}).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(groups_->prepare(id('g'), {{0, node('a')}}).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(groups_->prepare(id('g'), {{0, node('a')}, {0, node('a')}}).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(groups_->prepare(id('g'), {{0, node('a')}, {2, node('a')}}).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(groups_->prepare(id('g'), {{0, node('a')}, {1, NodeRef()}}).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(groups_->prepare(id('x'), {{0, node('a')}}).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(state('g'), PlacementState::kPending);
}

TEST_F(PlacementGroupsTest, ALostNodeTakesItsBundlesAlong) {
  for (char name : {'g', 'h', 'i'}) {
    ASSERT_TRUE(groups_->add(group(name)).ok());
  }
  uint64_t created = *groups_->prepare(id('g'), {{0, node('a')}, {1, node('b')}});
  ASSERT_TRUE(groups_->prepared(id('g'), created).ok());
  ASSERT_TRUE(groups_->committed(id('g'), created).ok());
  uint64_t preparing = *groups_->prepare(id('h'), {{0, node('a')}, {1, node('c')}});
  EXPECT_TRUE(groups_->lose(node('a', 2))->empty()) << "another life of the node";
  EXPECT_EQ(*groups_->lose(node('a')), (std::vector<std::string>{id('g'), id('h')}));
  EXPECT_TRUE(groups_->lose(node('a'))->empty());
  restart();
  EXPECT_EQ(state('g'), PlacementState::kPending);
  EXPECT_EQ(groups_->find(id('g'))->bundles[1].node, node('b')) << "stays where it is";
  EXPECT_EQ(groups_->prepared(id('h'), preparing).error().kind(), ErrorKind::kInvalid);
  ASSERT_TRUE(groups_->undo(id('h'), preparing).ok());
  EXPECT_EQ(state('h'), PlacementState::kPending);
  uint64_t again = *groups_->prepare(id('g'), {{0, node('c')}});
  EXPECT_TRUE(groups_->lose(node('c'))->size() == 1);
  EXPECT_EQ(groups_->prepared(id('g'), again).error().kind(), ErrorKind::kInvalid) << "nothing of it is left";
  again = *groups_->prepare(id('g'), {{0, node('d')}});
  ASSERT_TRUE(groups_->prepared(id('g'), again).ok());
  ASSERT_TRUE(groups_->committed(id('g'), again).ok());
  EXPECT_EQ(state('g'), PlacementState::kCreated);
}

TEST_F(PlacementGroupsTest, ARestartedStoreKnowsWhatIsHalfMade) {
  for (char name : {'a', 'b', 'c', 'd', 'e'}) {
    ASSERT_TRUE(groups_->add(group(name, 1)).ok());
  }
  for (char name : {'b', 'c', 'd', 'e'}) {
    uint64_t attempt = *groups_->prepare(id(name), {{0, node('n')}});
    if (name != 'b') {
      ASSERT_TRUE(groups_->prepared(id(name), attempt).ok());
    }
    if (name > 'c') {
      ASSERT_TRUE(groups_->committed(id(name), attempt).ok());
    }
  }
  ASSERT_TRUE(groups_->remove(id('e')).ok());
  restart();
  std::map<std::string, PlacementState> half;
  for (const PlacementGroupRecord* one : groups_->half_made()) {
    half.emplace(one->id, one->state());
  }
  EXPECT_EQ(half, (std::map<std::string, PlacementState>{{id('b'), PlacementState::kPreparing},
                                                         {id('c'), PlacementState::kPrepared},
                                                         {id('e'), PlacementState::kRemoving}}));
}

TEST_F(PlacementGroupsTest, NamesAreFreeFromRemoval) {
  ASSERT_TRUE(groups_->add(group('g', 1)).ok());
  PlacementGroupRecord other = group('h', 1);
  other.name = "g";
  EXPECT_EQ(groups_->add(other).error().kind(), ErrorKind::kAlreadyExists);
  ASSERT_TRUE(groups_->prepare(id('g'), {{0, node('a')}}).ok());
  ASSERT_TRUE(groups_->remove(id('g')).ok());
  ASSERT_TRUE(groups_->remove(id('g')).ok());
  EXPECT_EQ(groups_->find_by_name("space", "g"), nullptr);
  EXPECT_EQ(groups_->find(id('g'))->bundles[0].node, node('a')) << "who must be told";
  EXPECT_EQ(groups_->prepare(id('g'), {{0, node('a')}}).error().kind(), ErrorKind::kNotFound);
  ASSERT_TRUE(groups_->add(other).ok());
  restart();
  EXPECT_EQ(groups_->find_by_name("space", "g")->id, id('h'));
  ASSERT_TRUE(groups_->erase(id('g')).ok());
  ASSERT_TRUE(groups_->erase(id('g')).ok());
  EXPECT_EQ(groups_->find_by_name("space", "g")->id, id('h'));
  ASSERT_TRUE(groups_->remove(id('h')).ok());
  EXPECT_EQ(groups_->find(id('h')), nullptr) << "no node has anything of it";
  EXPECT_EQ(groups_->find_by_name("space", "g"), nullptr);
}

TEST_F(PlacementGroupsTest, EndWithTheirJobUnlessDetached) {
  ASSERT_TRUE(groups_->add(group('g')).ok());
  PlacementGroupRecord detached = group('h');
  detached.detached = true;
  ASSERT_TRUE(groups_->add(detached).ok());
  PlacementGroupRecord others = group('i');
  others.job = 4;
  ASSERT_TRUE(groups_->add(others).ok());
  EXPECT_EQ(groups_->of_job(3), (std::vector<std::string>{id('g')}));
  EXPECT_EQ(groups_->all().size(), 3u);
}

TEST_F(PlacementGroupsTest, MalformedOnesAreRefused) {
  std::vector<std::function<void(PlacementGroupRecord&)>> faults = {
      [](PlacementGroupRecord& bad) { bad.id = "short"; },
      [](PlacementGroupRecord& bad) { bad.bundles.clear(); },
      [](PlacementGroupRecord& bad) { bad.bundles.resize(PlacementGroups::kMaxBundles + 1, bad.bundles[0]); },
      [](PlacementGroupRecord& bad) { bad.bundles[1].resources.clear(); },
      [](PlacementGroupRecord& bad) { bad.bundles[1].resources[0].units = -1; },
      [](PlacementGroupRecord& bad) { bad.bundles[1].labels.emplace("", ""); },
      [](PlacementGroupRecord& bad) { bad.name = std::string(1000, 'x'); },
      [](PlacementGroupRecord& bad) { bad.name_space.clear(); },
  };
  for (size_t i = 0; i < faults.size(); ++i) {
    PlacementGroupRecord bad = group('g');
    faults[i](bad);
    EXPECT_EQ(groups_->add(bad).error().kind(), ErrorKind::kInvalid) << i;
  }
  EXPECT_TRUE(groups_->all().empty());
}

TEST_F(PlacementGroupsTest, CutRecordsAreSaid) {
  ASSERT_TRUE(groups_->add(group('g')).ok());
  std::string bytes = *storage_.get(PlacementGroups::kTable, id('g'));
  EXPECT_EQ(*PlacementGroups::decode(bytes), group('g'));
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(PlacementGroups::decode(std::string_view(bytes).substr(0, size)).error().kind(), ErrorKind::kInternal);
  }
}

}  // namespace
}  // namespace sabir::control
