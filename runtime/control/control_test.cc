// Each table alone, and all of them after a restart from what they stored.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <optional>
#include <random>

#include "runtime/control/control_store.h"
#include "runtime/control/record.h"

namespace sabir::control {
namespace {

// Refuses what it is told to refuse, as a full disk does.
class FailingStorage final : public Storage {
 public:
  bool broken = false;

  uint64_t epoch() const override { return kept_.epoch(); }
  Result<void> commit_all(std::span<const Batch* const> batches) override {
    if (broken) {
      return exhausted_error("disk full");
    }
    return kept_.commit_all(batches);
  }
  Result<std::string> get(std::string_view table, std::string_view key) const override { return kept_.get(table, key); }
  Result<void> scan(std::string_view table,
                    const std::function<void(std::string_view, std::string_view)>& visit) const override {
    return kept_.scan(table, visit);
  }

 private:
  MemoryStorage kept_;
};

class ControlTest : public testing::Test {
 protected:
  // What a new life finds.
  void restart() {
    store_.emplace(&storage_);
    ASSERT_TRUE(store_->load().ok());
  }
  static JobRecord job(const std::string& id) { return {0, id, "name", "", 77, true}; }
  static NodeRef node(char id, uint64_t incarnation) { return {std::string(16, id), incarnation}; }
  static ActorSpec actor(const std::string& id, const std::string& name) {
    ActorSpec spec;
    spec.id = id;
    spec.job = 3;
    spec.name = name;
    spec.name_space = "default";
    spec.resources = {{"CPU", 5'000}, {"x", -1}};
    spec.max_restarts = -1;
    spec.class_info = std::string("a\0b", 3);
    spec.language = 2;
    return spec;
  }

  FailingStorage storage_;
  std::optional<ControlStore> store_{&storage_};
};

TEST_F(ControlTest, RecordsComeBackAndTruncationIsSeen) {
  std::string bytes = RecordWriter(3).number(int32_t{-5}).text("abc").flag(true).number(UINT64_MAX).take();
  RecordReader in(bytes, 3);
  EXPECT_EQ(in.number<int32_t>(), -5);
  EXPECT_EQ(in.text(), "abc");
  EXPECT_TRUE(in.flag());
  EXPECT_FALSE(in.done());
  EXPECT_EQ(in.number<uint64_t>(), UINT64_MAX);
  EXPECT_TRUE(in.done());
  for (size_t size = 0; size < bytes.size(); ++size) {
    RecordReader cut(std::string_view(bytes).substr(0, size), 3);
    (void)cut.number<int32_t>();
    (void)cut.text();
    (void)cut.flag();
    (void)cut.number<uint64_t>();
    EXPECT_FALSE(cut.done()) << size;
  }
  EXPECT_FALSE(RecordReader(bytes, 4).ok()) << "another version";
}

TEST_F(ControlTest, JobsAreNumberedOnceAndForAll) {
  uint32_t first = *store_->jobs().add(job("a"));
  EXPECT_EQ(*store_->jobs().add(job("a")), first) << "idempotent";
  uint32_t second = *store_->jobs().add(job("b"));
  EXPECT_GT(second, first);
  EXPECT_EQ(store_->jobs().find(first)->name_space, "61") << "of its own, from its id";
  ASSERT_TRUE(store_->jobs().end(first).ok());
  ASSERT_TRUE(store_->jobs().end(first).ok());
  ASSERT_TRUE(store_->jobs().end(99).ok());
  restart();
  EXPECT_FALSE(store_->jobs().find(first)->running);
  EXPECT_TRUE(store_->jobs().find(second)->running);
  EXPECT_GT(*store_->jobs().add(job("c")), second);
}

TEST_F(ControlTest, EndedJobsAreForgottenButTheirNumbersAreNot) {
  uint32_t last = 0;
  for (size_t i = 0; i < Jobs::kMaxEnded + 50; ++i) {
    last = *store_->jobs().add(job("job" + std::to_string(i)));
    ASSERT_TRUE(store_->jobs().end(last).ok());
  }
  EXPECT_LE(store_->jobs().all().size(), Jobs::kMaxEnded + 2);
  restart();
  EXPECT_EQ(*store_->jobs().add(job("new")), last + 1);
}

TEST_F(ControlTest, RunningJobsAreBounded) {
  for (size_t i = 0; i < Jobs::kMaxRunning; ++i) {
    ASSERT_TRUE(store_->jobs().add(job("job" + std::to_string(i))).ok());
  }
  EXPECT_EQ(store_->jobs().add(job("more")).error().kind(), ErrorKind::kExhausted);
}

TEST_F(ControlTest, FunctionsAreOneByContent) {
  Functions& functions = store_->functions();
  uint32_t index = *functions.add(1, {0, 1, "f", "code"});
  EXPECT_EQ(*functions.add(1, {0, 1, "f", "code"}), index);
  std::vector<FunctionRecord> others = {
      {1, 1, "f", "code"}, {0, 2, "f", "code"}, {0, 1, "g", "code"}, {0, 1, "f", "code2"}, {0, 1, "fc", "ode"}};
  for (size_t i = 0; i < others.size(); ++i) {
    EXPECT_EQ(*functions.add(1, others[i]), index + i + 1);
  }
  EXPECT_EQ(*functions.add(2, {0, 1, "g", "code"}), index + 3) << "one for all jobs";
  EXPECT_EQ(*functions.add(2, {0, 1, "h", "code"}), index + 6);
  restart();
  EXPECT_EQ(*store_->functions().find(index + 2), others[1]);
  EXPECT_EQ(*store_->functions().add(1, others[4]), index + 5);
  EXPECT_EQ(store_->functions().find(index + 7), nullptr);
  EXPECT_EQ(store_->functions().count(1), 6u);
  EXPECT_EQ(store_->functions().count(2), 2u);
}

TEST_F(ControlTest, FunctionsStayWhileAJobHasThem) {
  uint32_t shared = *store_->functions().add(1, {0, 1, "shared", "code"});
  uint32_t own = *store_->functions().add(1, {0, 1, "own", "code"});
  EXPECT_EQ(*store_->functions().add(2, {0, 1, "shared", "code"}), shared);
  ASSERT_TRUE(store_->functions().erase_job(1).ok());
  ASSERT_TRUE(store_->functions().erase_job(1).ok());
  EXPECT_EQ(store_->functions().find(own), nullptr);
  ASSERT_NE(store_->functions().find(shared), nullptr);
  uint32_t again = *store_->functions().add(3, {0, 1, "own", "code"});
  EXPECT_GT(again, own) << "workers may know the old index";
  restart();
  EXPECT_EQ(store_->functions().count(1), 0u);
  ASSERT_TRUE(store_->functions().erase_job(2).ok());
  EXPECT_EQ(store_->functions().find(shared), nullptr);
  EXPECT_NE(store_->functions().find(again), nullptr);
  ASSERT_TRUE(store_->functions().erase_job(3).ok());
  restart();
  EXPECT_GT(*store_->functions().add(3, {0, 1, "own", "code"}), again) << "also when all are forgotten";
}

TEST_F(ControlTest, FunctionsAreBounded) {
  EXPECT_EQ(store_->functions().add(1, {0, 1, "big", std::string(Functions::kMaxCodeBytes, 'x')}).error().kind(),
            ErrorKind::kInvalid);
}

TEST_F(ControlTest, KeysAndValues) {
  KeyValue& values = store_->key_value();
  EXPECT_TRUE(*values.put("k", "1", false));
  EXPECT_FALSE(*values.put("k", "2", false)) << "it stays";
  EXPECT_EQ(*values.get("k"), "1");
  EXPECT_FALSE(*values.put("k", "22", true));
  EXPECT_EQ(*values.get("k"), "22");
  EXPECT_EQ(values.size_bytes(), 3u);
  restart();
  EXPECT_EQ(store_->key_value().size_bytes(), 3u);
  EXPECT_TRUE(*store_->key_value().erase("k"));
  EXPECT_FALSE(*store_->key_value().erase("k"));
  EXPECT_EQ(store_->key_value().get("k").error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(store_->key_value().size_bytes(), 0u);
  EXPECT_EQ(store_->key_value().put("", "x", true).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(store_->key_value().put(std::string(5000, 'k'), "x", true).error().kind(), ErrorKind::kInvalid);
}

TEST_F(ControlTest, ActorsAndTheirNames) {
  ActorRegistry& actors = store_->actors();
  ASSERT_TRUE(actors.add(actor("1", "x"), 10).ok());
  ASSERT_TRUE(actors.add(actor("1", "x"), 10).ok());
  EXPECT_EQ(actors.add(actor("2", "x"), 11).error().kind(), ErrorKind::kAlreadyExists);
  ASSERT_TRUE(actors.add(actor("3", ""), 12).ok());
  ASSERT_TRUE(actors.add(actor("4", ""), 13).ok());
  restart();
  EXPECT_EQ(store_->actors().find_by_name("default", "x")->spec, actor("1", "x"));
  EXPECT_EQ(store_->actors().find("3")->index, 12u);
  ASSERT_TRUE(store_->actors().release_name("1").ok());
  ASSERT_TRUE(store_->actors().release_name("1").ok());
  EXPECT_EQ(store_->actors().find_by_name("default", "x"), nullptr);
  EXPECT_NE(store_->actors().find("1"), nullptr);
  ASSERT_TRUE(store_->actors().add(actor("2", "x"), 11).ok());
  ASSERT_TRUE(store_->actors().erase("1").ok());
  ASSERT_TRUE(store_->actors().erase("1").ok());
  restart();
  EXPECT_EQ(store_->actors().find("1"), nullptr);
  EXPECT_EQ(store_->actors().find_by_name("default", "x")->spec.id, "2");
  EXPECT_EQ(store_->actors().all().size(), 3u);
}

TEST_F(ControlTest, ActorsAndJobsHaveTheirPlaceInACluster) {
  ActorRegistry& actors = store_->actors();
  ASSERT_TRUE(actors.add(actor("1", "x"), 0).ok());
  ASSERT_TRUE(actors.add(actor("2", "y"), 0).ok());
  EXPECT_TRUE(actors.find("1")->node.none());
  ASSERT_TRUE(actors.place("1", node('a', 1), 10).ok());
  ASSERT_TRUE(actors.place("1", node('a', 1), 10).ok()) << "the same place again";
  EXPECT_EQ(actors.find("1")->restarts, 0u);
  ASSERT_TRUE(actors.place("2", node('b', 2), 11).ok());
  ASSERT_TRUE(actors.place("1", node('a', 3), 10).ok()) << "the node came back: another place";
  EXPECT_EQ(actors.place("3", node('a', 3), 10).error().kind(), ErrorKind::kNotFound);
  JobRecord here = job("a");
  here.node = node('b', 2);
  uint32_t number = *store_->jobs().add(here);
  ASSERT_TRUE(store_->jobs().add(job("b")).ok());
  restart();
  EXPECT_EQ(store_->actors().find("1")->restarts, 1u);
  EXPECT_EQ(store_->actors().find("1")->node, node('a', 3));
  ASSERT_EQ(store_->actors().on_node(node('b', 2)).size(), 1u);
  EXPECT_EQ(store_->actors().on_node(node('b', 2))[0]->spec.id, "2");
  EXPECT_TRUE(store_->actors().on_node(node('a', 1)).empty());
  ASSERT_EQ(store_->jobs().running_on(node('b', 2)).size(), 1u);
  ASSERT_TRUE(store_->jobs().end(number).ok());
  EXPECT_TRUE(store_->jobs().running_on(node('b', 2)).empty());
}

TEST_F(ControlTest, RecordsOfEarlierVersionsAreRead) {
  RecordWriter job(1);
  job.number(uint32_t{7}).text("id").text("name").text("space").number(uint32_t{77}).flag(true);
  RecordWriter actor(1);
  actor.number(uint32_t{4}).text("actor").number(uint32_t{7}).number(uint32_t{2}).text("n").text("space");
  actor.number(uint32_t{1}).text("CPU").number(int64_t{5'000});
  actor.number(int32_t{-1}).number(int32_t{0}).number(uint32_t{1}).flag(false).flag(false).text("info");
  actor.number(uint8_t{2}).text("Class");
  ASSERT_TRUE(storage_.commit(Batch().put("jobs", "7", job.take()).put("actors", "actor", actor.take())).ok());
  restart();
  EXPECT_EQ(*store_->jobs().find(7), (JobRecord{7, "id", "name", "space", 77, true, {}}));
  const ActorEntry* entry = store_->actors().find_by_name("space", "n");
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(entry->spec.class_name, "Class");
  EXPECT_EQ(entry->index, 4u);
  EXPECT_TRUE(entry->node.none());
  ASSERT_TRUE(storage_.commit(Batch().put("jobs", "8", RecordWriter(3).number(uint32_t{8}).take())).ok());
  EXPECT_EQ(store_->load().error().kind(), ErrorKind::kInternal) << "of a later version";
}

TEST_F(ControlTest, WhatTheStorageRefusesDidNotHappen) {
  ASSERT_TRUE(store_->actors().add(actor("1", "x"), 1).ok());
  uint32_t number = *store_->jobs().add(job("a"));
  storage_.broken = true;
  EXPECT_EQ(store_->jobs().add(job("b")).error().kind(), ErrorKind::kExhausted);
  EXPECT_FALSE(store_->jobs().end(number).ok());
  EXPECT_TRUE(store_->jobs().find(number)->running);
  EXPECT_FALSE(store_->functions().add(1, {0, 1, "f", "code"}).ok());
  EXPECT_EQ(store_->functions().count(1), 0u);
  EXPECT_FALSE(store_->key_value().put("k", "v", true).ok());
  EXPECT_EQ(store_->key_value().size_bytes(), 0u);
  EXPECT_FALSE(store_->actors().add(actor("2", "y"), 2).ok());
  EXPECT_FALSE(store_->actors().erase("1").ok());
  EXPECT_NE(store_->actors().find_by_name("default", "x"), nullptr);
}

// Rows go to subscribers as they are: what reads them must take anything.
TEST_F(ControlTest, AlteredRecordsAreReadOrRefused) {
  ActorRegistry& actors = store_->actors();
  ASSERT_TRUE(actors.add(actor("1", "x"), 0).ok());
  ASSERT_TRUE(actors.place("1", node('a', 1), 10).ok());
  ASSERT_TRUE(store_->jobs().add(job("a")).ok());
  NodeSpec spec{std::string(16, 'a'), std::string(16, 'b'), "a:1", {{"CPU", 1}}, {{"zone", "west"}}};
  ASSERT_TRUE(store_->nodes().register_node(spec, 0).ok());

  std::map<std::string_view, std::function<bool(std::string_view)>> decoders = {
      {ActorRegistry::kTable, [](std::string_view bytes) { return ActorRegistry::decode(bytes).ok(); }},
      {Jobs::kTable, [](std::string_view bytes) { return Jobs::decode(bytes).ok(); }},
      {Nodes::kTable, [](std::string_view bytes) { return Nodes::decode(bytes).ok(); }},
  };
  std::mt19937 random(1);
  for (const auto& [table, decode] : decoders) {
    std::string good;
    ASSERT_TRUE(storage_.scan(table, [&, to = &good](std::string_view, std::string_view value) { *to = value; }).ok());
    ASSERT_TRUE(decode(good)) << table;
    int refused = 0;
    for (int i = 0; i < 3'000; ++i) {
      std::string bad = good;
      for (uint32_t changes = 1 + random() % 3; changes > 0; --changes) {
        bad[random() % bad.size()] = static_cast<char>(random() % 3 == 0 ? 0xff : random());
      }
      if (random() % 4 == 0) {
        bad.resize(random() % (bad.size() + 8));
      }
      refused += decode(bad) ? 0 : 1;
    }
    EXPECT_GT(refused, 500) << table;
    EXPECT_FALSE(decode(good + "x")) << table;
    EXPECT_FALSE(decode("")) << table;
  }
}

TEST_F(ControlTest, GarbageInTheStorageIsSaid) {
  for (std::string_view table : {"jobs", "functions", "functions.jobs", "functions.last", "actors", "jobs.last"}) {
    MemoryStorage garbage;
    ASSERT_TRUE(garbage.commit(Batch().put(table, "k", "garbage")).ok());
    EXPECT_EQ(ControlStore(&garbage).load().error().kind(), ErrorKind::kInternal) << table;
  }
}

}  // namespace
}  // namespace sabir::control
