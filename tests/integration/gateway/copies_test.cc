// Objects on their way between several nodes: each is a client of one store here, with links to all others, and its own
// view of what they have.
#include "runtime/gateway/copies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <functional>
#include <future>
#include <map>
#include <numeric>
#include <random>
#include <thread>

#include "runtime/client/relay.h"
#include "runtime/gateway/node_objects.h"
#include "tests/integration/gateway/loopback_link.h"

namespace sabir::gateway {
namespace {

using client::Future;
using ::sabir::testing::LoopbackLink;

constexpr uint64_t kChunk = ChunkPlan::kChunkBytes;
constexpr size_t kRefusedPull = 2;  // of who hangs
constexpr auto kPatience = std::chrono::seconds(60);

class CopiesTest : public ::testing::Test {
 protected:
  struct Node;
  // The end of a link that belongs to one node.
  struct End {
    LoopbackLink link;
    Node* other = nullptr;
    NamedObjects named;
  };
  struct Node {
    explicit Node(const Clock& clock)
        : objects(clock, [this](const rpc::NodeKeyBytes& key, const auto& then) {
            auto end = ends_by_key.find(key);
            then(end == ends_by_key.end() ? nullptr : end->second->link.share());
          }) {}
    std::shared_ptr<client::Client> client;
    rpc::NodeKeyBytes key;
    std::vector<std::unique_ptr<End>> ends;
    std::map<rpc::NodeKeyBytes, End*> ends_by_key;
    NodeObjects objects;               // goes before the links
    std::atomic<bool> refuses{false};  // it is there but serves nothing
    std::atomic<bool> hangs{false};    // it refuses one thing that it is asked for, and says nothing to the rest
    std::atomic<size_t> pulls{0};      // that it was asked for
    std::atomic<size_t> copies{0};     // that others have told it of, and it knows
    std::function<void()> before_pull;
  };

  static void SetUpTestSuite() {
    client::DriverOptions options;
    options.address = "local";
    options.node.resources = {{"CPU", 10'000}};
    options.node.store_bytes = 768 << 20;
    options.job.language_envs = {{1, rpc::LaunchMode::kExec, {"/bin/sleep", "1000"}, 1}};
    first_ = client::Client::start_driver(options).value();
  }
  static void TearDownTestSuite() { first_.reset(); }

  std::shared_ptr<client::Client> new_client() {
    client::DriverOptions options;
    options.address = first_->core().self.welcome().session_path;
    options.job.language_envs = {{1, rpc::LaunchMode::kExec, {"/bin/sleep", "1000"}, 1}};
    return client::Client::start_driver(options).value();
  }

  void make_nodes(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      nodes_.push_back(std::make_unique<Node>(clock_));
      nodes_.back()->client = new_client();
      nodes_.back()->key = {std::string(15, 'k') + static_cast<char>('a' + i), 1};
    }
    for (size_t i = 0; i < count; ++i) {
      for (size_t j = i + 1; j < count; ++j) {
        connect(*nodes_[i], *nodes_[j]);
      }
    }
  }
  void connect(Node& a, Node& b) {
    for (auto [from, to] : {std::pair(&a, &b), std::pair(&b, &a)}) {
      from->ends.push_back(std::make_unique<End>());
      End* end = from->ends.back().get();
      end->other = to;
      end->link.name(from->key);
      from->ends_by_key[to->key] = end;
    }
    LoopbackLink::join(a.ends.back()->link, b.ends.back()->link);
    for (Node* node : {&a, &b}) {
      End* end = node->ends.back().get();
      end->link.set_receiver([this, node, end](rpc::NodeMessage message) {
        receive(*node, *end, std::move(message));
        return Result<void>();
      });
    }
  }
  static void receive(Node& node, End& end, rpc::NodeMessage message) {
    if (auto* pull = std::get_if<rpc::PullMessage>(&message)) {
      size_t number = ++node.pulls;
      if (node.before_pull) {
        node.before_pull();
      }
      if (node.hangs && number != kRefusedPull) {
        return;
      }
      if (node.refuses || node.hangs) {
        end.link.refuse(pull->transfer, Error(ErrorKind::kObjectLost, "it is to fail"));
      } else {
        node.objects.pull(end.link, end.named, *pull);
      }
    } else if (auto* locate = std::get_if<rpc::LocateMessage>(&message)) {
      node.objects.locate(end.link, end.named, *locate);
    } else if (auto* located = std::get_if<rpc::LocatedMessage>(&message)) {
      node.objects.copies().located(end.link, *located);
    } else if (auto* state = std::get_if<rpc::CopyStateMessage>(&message)) {
      node.objects.copy_state(end.link, *state);
      node.copies += state->state == rpc::CopyState::kHas ? 1 : 0;
    }
  }

  // An object of this node, named to all others.
  rpc::ObjectId put(Node& owner, uint64_t size_bytes) {
    std::string bytes(size_bytes, '\0');
    for (size_t i = 0; i < size_bytes; i += 4096) {
      std::memcpy(bytes.data() + i, &i, std::min(sizeof(i), size_bytes - i));
    }
    object_ = client::Relay(*owner.client).make_value({.encoding = SABIR_NEUTRAL}, {}, bytes, kSecondNs).value();
    for (const auto& end : owner.ends) {
      end->named.name(owner.client.get(), object_);
    }
    rpc::ObjectId id = id_of(object_);
    client::release(object_);
    return id;
  }
  using Got = std::future<Result<Future*>>;
  static Got fetch(Node& node, const Node& owner, rpc::ObjectId id, uint64_t size_bytes, const void* who = nullptr) {
    auto promise = std::make_shared<std::promise<Result<Future*>>>();
    Got got = promise->get_future();
    Copies::Wanted wanted;
    wanted.id = id;
    wanted.size_bytes = size_bytes;
    wanted.header.encoding = SABIR_NEUTRAL;
    wanted.client = node.client.get();
    wanted.namer = node.ends_by_key.at(owner.key)->link.share();
    wanted.owner = who;
    node.objects.copies().fetch(wanted, [promise](Result<Future*> object) { promise->set_value(std::move(object)); });
    return got;
  }
  static ::testing::AssertionResult is_right(Node& node, Got& got, uint64_t size_bytes) {
    if (got.wait_for(kPatience) != std::future_status::ready) {
      return ::testing::AssertionFailure() << "it did not come";
    }
    Result<Future*> object = got.get();
    if (!object.ok()) {
      return ::testing::AssertionFailure() << object.error().to_string();
    }
    sabir_view view = {};
    Result<void> seen = node.client->view(*object, view);
    bool right = seen.ok() && view.size == size_bytes;
    for (size_t i = 0; right && i < size_bytes; i += 4096) {
      right = std::memcmp(static_cast<const char*>(view.data) + i, &i, std::min(sizeof(i), size_bytes - i)) == 0;
    }
    client::release(*object);
    return right ? ::testing::AssertionSuccess() : ::testing::AssertionFailure() << "these are other bytes";
  }
  static uint64_t sent_bytes(const Node& node) {
    return std::accumulate(node.ends.begin(), node.ends.end(), uint64_t{0},
                           [](uint64_t sum, const auto& end) { return sum + end->link.sent_bytes(); });
  }
  static bool comes_true(const std::function<bool()>& condition) {
    auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) {
        return false;
      }
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    return true;
  }
  void TearDown() override {
    // What goes tells others of it, and they must be there.
    for (auto& node : nodes_) {
      EXPECT_TRUE(comes_true([&] {
        node->objects.copies().collect();
        return !node->objects.copies().has_to_sweep();
      }));
    }
    for (auto& node : nodes_) {
      for (auto& end : node->ends) {
        end->link.close();
      }
    }
    for (auto& node : nodes_) {
      node->objects.leave(node->client.get());
    }
  }

  inline static std::shared_ptr<client::Client> first_;
  SteadyClock clock_;
  Future* object_ = nullptr;
  std::vector<std::unique_ptr<Node>> nodes_;
};

TEST_F(CopiesTest, TheOwnerOfWhatManyWantSendsItAboutOnce) {
  constexpr uint64_t kSize = 6 * kChunk + 77;
  make_nodes(5);
  rpc::ObjectId id = put(*nodes_[0], kSize);
  std::vector<Got> got;
  for (size_t i = 1; i < 5; ++i) {
    got.push_back(fetch(*nodes_[i], *nodes_[0], id, kSize));
  }
  for (size_t i = 1; i < 5; ++i) {
    EXPECT_TRUE(is_right(*nodes_[i], got[i - 1], kSize)) << i;
  }
  uint64_t all = 0;
  for (auto& node : nodes_) {
    all += sent_bytes(*node);
  }
  EXPECT_EQ(all, 4 * kSize) << "nobody gets a chunk twice";
  EXPECT_LE(sent_bytes(*nodes_[0]), 2 * kSize);
}

TEST_F(CopiesTest, ANodeGetsItOnceWhoeverWantsIt) {
  constexpr uint64_t kSize = 5 * kChunk;
  make_nodes(2);
  rpc::ObjectId id = put(*nodes_[0], kSize);
  std::vector<Got> got;
  for (int i = 0; i < 3; ++i) {
    got.push_back(fetch(*nodes_[1], *nodes_[0], id, kSize));
  }
  for (Got& one : got) {
    EXPECT_TRUE(is_right(*nodes_[1], one, kSize));
  }
  Got again = fetch(*nodes_[1], *nodes_[0], id, kSize);
  EXPECT_TRUE(is_right(*nodes_[1], again, kSize)) << "it stays for a while";
  EXPECT_EQ(sent_bytes(*nodes_[0]), kSize);
}

TEST_F(CopiesTest, SeveralWhoHaveItServeOneTogether) {
  constexpr uint64_t kSize = 5 * kChunk;
  make_nodes(4);
  rpc::ObjectId id = put(*nodes_[0], kSize);
  for (size_t i : {1, 2}) {
    Got got = fetch(*nodes_[i], *nodes_[0], id, kSize);
    ASSERT_TRUE(is_right(*nodes_[i], got, kSize));
  }
  ASSERT_TRUE(comes_true([&] { return nodes_[0]->copies == 2; })) << "who has it says so after it is here";
  uint64_t before = sent_bytes(*nodes_[0]);
  size_t pulls[] = {nodes_[1]->pulls, nodes_[2]->pulls};
  // It would send all that is wanted before the other one is known.
  nodes_[1]->before_pull = [&] { (void)comes_true([&] { return nodes_[2]->pulls > pulls[1]; }); };
  Got got = fetch(*nodes_[3], *nodes_[0], id, kSize);
  EXPECT_TRUE(is_right(*nodes_[3], got, kSize));
  EXPECT_EQ(sent_bytes(*nodes_[0]), before) << "others have it";
  EXPECT_GT(nodes_[1]->pulls, pulls[0]);
  EXPECT_GT(nodes_[2]->pulls, pulls[1]);
}

TEST_F(CopiesTest, WhenASourceFailsAnotherServesTheRest) {
  constexpr uint64_t kSize = 6 * kChunk;
  make_nodes(3);
  rpc::ObjectId id = put(*nodes_[0], kSize);
  Got first = fetch(*nodes_[1], *nodes_[0], id, kSize);
  ASSERT_TRUE(is_right(*nodes_[1], first, kSize));
  nodes_[1]->refuses = true;
  Got second = fetch(*nodes_[2], *nodes_[0], id, kSize);
  EXPECT_TRUE(is_right(*nodes_[2], second, kSize));
  EXPECT_GT(nodes_[1]->pulls, 0u);
}

TEST_F(CopiesTest, WhatAFailedSourceOwesIsNotWaitedFor) {
  constexpr uint64_t kSize = 6 * kChunk;
  make_nodes(3);
  rpc::ObjectId id = put(*nodes_[0], kSize);
  Got first = fetch(*nodes_[1], *nodes_[0], id, kSize);
  ASSERT_TRUE(is_right(*nodes_[1], first, kSize));
  nodes_[1]->hangs = true;
  Got second = fetch(*nodes_[2], *nodes_[0], id, kSize);
  EXPECT_TRUE(is_right(*nodes_[2], second, kSize));
  EXPECT_GE(nodes_[1]->pulls, kRefusedPull) << "something was asked of it that it never answered";
}

// What node 1 has of an object is on its way to node 2 when nobody at node 1 wants it any more. Its room must not be
// another object's before that has been read.
TEST_F(CopiesTest, TheRoomOfWhatNobodyWaitsForStaysWhileItIsRead) {
  constexpr uint64_t kSize = 8 * kChunk;
  make_nodes(3);
  Node& middle = *nodes_[1];
  LoopbackLink& from_owner = middle.ends_by_key.at(nodes_[0]->key)->link;
  LoopbackLink& to_last = nodes_[2]->ends_by_key.at(middle.key)->link;
  End& on = *middle.ends_by_key.at(nodes_[2]->key);
  rpc::ObjectId id = put(*nodes_[0], kSize);
  // Node 1 has a chunk, since it asks for one more than at first, and gets no other.
  nodes_[0]->before_pull = [&] {
    if (nodes_[0]->pulls == ChunkPlan::kPerSource + 1) {
      from_owner.hold(true);
    }
  };
  int owner = 0;
  Got first = fetch(middle, *nodes_[0], id, kSize, &owner);
  ASSERT_TRUE(comes_true([&] { return nodes_[0]->pulls > ChunkPlan::kPerSource; }));
  // A chunk of it is on its way to node 2, which gets nothing for now.
  to_last.hold(true);
  Got last = fetch(*nodes_[2], *nodes_[0], id, kSize);
  ASSERT_TRUE(comes_true([&] { return on.link.sent_bytes() != 0; }));
  middle.objects.copies().stop(&owner);
  from_owner.hold(false);
  ASSERT_EQ(first.wait_for(kPatience), std::future_status::ready);
  EXPECT_FALSE(first.get().ok());
  // As many bytes of another object as its room had, again and again until it would have been given back.
  std::vector<Future*> others;
  for (int i = 0; i < 8; ++i) {
    others.push_back(client::Relay(*middle.client)
                         .make_value({.encoding = SABIR_NEUTRAL}, {}, std::string(kSize, 'x'), kSecondNs)
                         .value());
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  to_last.hold(false);
  EXPECT_TRUE(is_right(*nodes_[2], last, kSize));
  for (Future* other : others) {
    client::release(other);
  }
}

TEST_F(CopiesTest, WhatASourceHasLetGoOfComesFromTheOwner) {
  constexpr uint64_t kSize = 4 * kChunk;
  make_nodes(3);
  rpc::ObjectId id = put(*nodes_[0], kSize);
  Got first = fetch(*nodes_[1], *nodes_[0], id, kSize);
  ASSERT_TRUE(is_right(*nodes_[1], first, kSize));
  nodes_[1]->objects.copies().collect();
  Got second = fetch(*nodes_[2], *nodes_[0], id, kSize);
  EXPECT_TRUE(is_right(*nodes_[2], second, kSize));
}

TEST_F(CopiesTest, WhatIsNotNamedIsLost) {
  constexpr uint64_t kSize = 4 * kChunk;
  make_nodes(2);
  for (uint64_t size : {kSize, uint64_t{100'000}}) {
    Got got = fetch(*nodes_[1], *nodes_[0], {4711, size}, size);
    ASSERT_EQ(got.wait_for(kPatience), std::future_status::ready);
    Result<Future*> object = got.get();
    ASSERT_FALSE(object.ok());
    EXPECT_EQ(object.error().kind(), ErrorKind::kObjectLost);
  }
  EXPECT_TRUE(comes_true([&] { return !nodes_[1]->objects.copies().has_to_sweep(); })) << "nothing stays of it";
}

TEST_F(CopiesTest, WhoStopsGetsItNotAndTheOthersDo) {
  constexpr uint64_t kSize = 5 * kChunk;
  make_nodes(2);
  rpc::ObjectId id = put(*nodes_[0], kSize);
  int one = 0;
  int other = 0;
  Got first = fetch(*nodes_[1], *nodes_[0], id, kSize, &one);
  Got second = fetch(*nodes_[1], *nodes_[0], id, kSize, &other);
  nodes_[1]->objects.copies().stop(&one);
  ASSERT_EQ(first.wait_for(kPatience), std::future_status::ready);
  Result<Future*> object = first.get();
  if (object.ok()) {
    client::release(*object);  // it had come
  } else {
    EXPECT_EQ(object.error().kind(), ErrorKind::kDisconnected);
  }
  EXPECT_TRUE(is_right(*nodes_[1], second, kSize));
}

TEST_F(CopiesTest, AClientMayGoInTheMiddle) {
  constexpr uint64_t kSize = 5 * kChunk;
  make_nodes(3);
  rpc::ObjectId id = put(*nodes_[0], kSize);
  std::shared_ptr<client::Client> own = nodes_[1]->client;
  for (int round = 0; round < 10; ++round) {
    int owner = 0;
    std::shared_ptr<client::Client> goes = nodes_[1]->client = new_client();
    size_t pulls = nodes_[0]->pulls;
    Got first = fetch(*nodes_[1], *nodes_[0], id, kSize, &owner);
    Got second = fetch(*nodes_[2], *nodes_[0], id, kSize);  // perhaps from there
    EXPECT_TRUE(round % 2 != 0 || comes_true([&] { return nodes_[0]->pulls != pulls; }));
    nodes_[1]->objects.copies().stop(&owner);
    ASSERT_EQ(first.wait_for(kPatience), std::future_status::ready);
    if (Result<Future*> object = first.get(); object.ok()) {
      client::release(*object);
    }
    nodes_[1]->objects.leave(goes.get());
    nodes_[1]->client = own;
    goes.reset();
    EXPECT_TRUE(is_right(*nodes_[2], second, kSize)) << "whoever it was getting it from";
    nodes_[2]->objects.copies().collect();
  }
}

// What is being made an object when its client leaves is not kept for the client.
TEST_F(CopiesTest, AClientMayGoWhenAllHasCome) {
  constexpr uint64_t kSize = 2 * kChunk;
  make_nodes(2);
  rpc::ObjectId id = put(*nodes_[0], kSize);
  std::shared_ptr<client::Client> own = nodes_[1]->client;
  for (int round = 0; round < 20; ++round) {
    int owner = 0;
    std::shared_ptr<client::Client> goes = nodes_[1]->client = new_client();
    uint64_t sent = sent_bytes(*nodes_[0]);
    Got got = fetch(*nodes_[1], *nodes_[0], id, kSize, &owner);
    ASSERT_TRUE(comes_true([&] { return sent_bytes(*nodes_[0]) == sent + kSize; }));
    std::this_thread::sleep_for(std::chrono::microseconds(100 * round));
    nodes_[1]->objects.copies().stop(&owner);
    ASSERT_EQ(got.wait_for(kPatience), std::future_status::ready);
    if (Result<Future*> object = got.get(); object.ok()) {
      client::release(*object);
    }
    nodes_[1]->objects.leave(goes.get());
    nodes_[1]->client = own;
    EXPECT_EQ(goes.use_count(), 1);
    goes.reset();
    nodes_[1]->objects.copies().collect();
    EXPECT_TRUE(comes_true([&] { return !nodes_[1]->objects.copies().has_to_sweep(); })) << "nothing stays of it";
  }
}

TEST_F(CopiesTest, WhenTheConnectionToItsNamerEndsTheFetchDoes) {
  constexpr uint64_t kSize = 5 * kChunk;
  make_nodes(2);
  // Not named: it would be asked for, and the answer is what does not come any more.
  End& end = *nodes_[1]->ends_by_key.at(nodes_[0]->key);
  end.link.close();
  Got got = fetch(*nodes_[1], *nodes_[0], {4711, 1}, kSize);
  nodes_[1]->objects.lost(end.link);
  ASSERT_EQ(got.wait_for(kPatience), std::future_status::ready);
  Result<Future*> object = got.get();
  ASSERT_FALSE(object.ok());
  EXPECT_EQ(object.error().kind(), ErrorKind::kDisconnected);
}

// Nodes that refuse, let go, give up and begin again, all at once: what comes is right, and what its owner serves
// comes.
TEST_F(CopiesTest, WhateverOthersDoItComes) {
  constexpr size_t kNodes = 5;
  make_nodes(kNodes);
  std::vector<std::pair<rpc::ObjectId, uint64_t>> objects;
  for (uint64_t size : {uint64_t{100'000}, 2 * kChunk + 5, 5 * kChunk}) {
    objects.emplace_back(put(*nodes_[0], size), size);
  }
  struct Wait {
    size_t node = 0;
    uint64_t size_bytes = 0;
    std::unique_ptr<int> owner = std::make_unique<int>(0);
    bool stopped = false;
    Got got;
  };
  for (uint32_t seed = 1; seed <= 6; ++seed) {
    std::mt19937 random(seed);
    std::vector<Wait> waits;
    for (int step = 0; step < 60; ++step) {
      size_t node = 1 + random() % (kNodes - 1);
      switch (random() % 6) {
        case 0:
          nodes_[node]->refuses = !nodes_[node]->refuses;
          break;
        case 1:
          nodes_[node]->objects.copies().collect();
          break;
        case 2:
          if (!waits.empty()) {
            Wait& wait = waits[random() % waits.size()];
            wait.stopped = true;
            nodes_[wait.node]->objects.copies().stop(wait.owner.get());
          }
          break;
        case 3:
          std::this_thread::sleep_for(std::chrono::milliseconds(random() % 4));
          break;
        default: {
          auto [id, size] = objects[random() % objects.size()];
          Wait wait{.node = node, .size_bytes = size};
          wait.got = fetch(*nodes_[node], *nodes_[0], id, size, wait.owner.get());
          waits.push_back(std::move(wait));
        }
      }
    }
    for (Wait& wait : waits) {
      if (!wait.stopped) {
        EXPECT_TRUE(is_right(*nodes_[wait.node], wait.got, wait.size_bytes)) << "seed " << seed;
        continue;
      }
      ASSERT_EQ(wait.got.wait_for(kPatience), std::future_status::ready);
      if (Result<Future*> object = wait.got.get(); object.ok()) {
        client::release(*object);
      } else {
        EXPECT_EQ(object.error().kind(), ErrorKind::kDisconnected);
      }
    }
  }
}

}  // namespace
}  // namespace sabir::gateway
