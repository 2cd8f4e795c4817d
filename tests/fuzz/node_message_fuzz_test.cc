// Runs the fuzz target over seeded inputs: messages of every kind that are broken in one or a few places, and noise.
// The same in each run.
#include <capnp/serialize.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "runtime/rpc/node_convert.h"
#include "tests/fuzz/mutations.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_in_bytes);

namespace sabir::rpc {
namespace {

WireValue small(std::string bytes) {
  WireValue value;
  value.encoding = 1;
  value.language = 2;
  value.bytes = std::move(bytes);
  return value;
}

// A reference of each kind, one inside another.
WireValue full_value() {
  WireValue value = small("outer");
  value.is_error = true;
  WireValue inner;
  inner.stored = WireValue::Stored{{7, 8}, 1 << 30};
  value.refs.push_back({{1, 2}, std::make_unique<WireValue>(std::move(inner)), nullptr});
  value.refs.push_back({{3, 4}, nullptr, nullptr});
  WireActor actor{{std::string(16, 'h'), 9}, "name", "Class", "info", 1, -1};
  value.refs.push_back({{5, 6}, nullptr, std::make_unique<WireActor>(std::move(actor))});
  return value;
}

std::vector<WireArg> full_args() {
  std::vector<WireArg> args;
  args.push_back({"", full_value()});
  args.push_back({"keyword", small("x")});
  return args;
}

std::vector<NodeMessage> messages() {
  std::vector<NodeMessage> list;
  JobDefinition job{.number = 1, .id = std::string(16, 'j')};
  job.config.name = "job";
  job.config.name_space = "space";
  job.config.opaque = "config";
  job.config.language_envs = {{1, LaunchMode::kExec, {"worker", "--flag"}, 4}};
  list.emplace_back(std::move(job));
  list.emplace_back(FunctionDefinition{2, {.name = "f", .code = "code"}});
  list.emplace_back(ClassDefinition{3, {{"CPU", 10'000}, {"GPU", 5'000}}});
  CallMessage call{.number = 4, .job = 1, .function = 2, .class_number = 3, .num_returns = 2, .attempt = 1};
  call.args = full_args();
  call.actor = 5;
  list.emplace_back(std::move(call));
  ResultMessage result{.number = 4, .outcome = Outcome::kLost, .message = "why"};
  result.values.push_back(full_value());
  list.emplace_back(std::move(result));
  list.emplace_back(ResolvedMessage{{3, 4}, full_value()});
  list.emplace_back(ReleasedMessage{{{1, 2}, {7, 8}}});
  list.emplace_back(JobOverMessage{1});
  list.emplace_back(PullMessage{{7, 8}, 77, 4096, 100'000});
  list.emplace_back(LocateMessage{{7, 8}});
  list.emplace_back(LocatedMessage{{7, 8}, true, {{std::string(16, 'n'), 3}, {std::string(16, 'm'), 4}}});
  list.emplace_back(CopyStateMessage{{7, 8}, CopyState::kFailed, {std::string(16, 'n'), 3}});
  list.emplace_back(BetweenMessage{"between node managers"});
  OpenActorMessage open{.number = 5, .job = 1, .actor_id = std::string(16, 'a')};
  list.emplace_back(std::move(open));
  OpenActorMessage create{.number = 6, .job = 1, .actor_id = std::string(16, 'a')};
  create.creation.emplace();
  create.creation->class_name = "Class";
  create.creation->args = full_args();
  list.emplace_back(std::move(create));
  list.emplace_back(ActorStateMessage{5, RemoteActorState::kFailed, "message", "error"});
  list.emplace_back(CloseActorMessage{5, true});
  list.emplace_back(KillActorMessage{5, false});
  return list;
}

std::vector<std::string> valid_inputs() {
  std::vector<std::string> inputs;
  for (const NodeMessage& message : messages()) {
    capnp::MallocMessageBuilder builder;
    write(message, builder.initRoot<schema::NodeMessage>());
    kj::Array<capnp::word> words = capnp::messageToFlatArray(builder);
    inputs.emplace_back(words.asChars().begin(), words.asChars().size());
  }
  return inputs;
}

void run(const std::string& input) {
  std::vector<uint8_t> bytes(input.begin(), input.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

TEST(NodeMessageFuzzTest, TheCorpusHasEveryKind) {
  std::set<size_t> kinds;
  for (const NodeMessage& message : messages()) {
    kinds.insert(message.index());
  }
  EXPECT_EQ(kinds.size(), std::variant_size_v<NodeMessage>);
}

TEST(NodeMessageFuzzTest, SeededInputs) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    fuzz::Mutations mutations(seed, valid_inputs(), 0);
    for (int i = 0; i < 3000; ++i) {
      run(mutations.next());
    }
  }
}

TEST(NodeMessageFuzzTest, ValidInputsAndTheirBeginnings) {
  for (const std::string& input : valid_inputs()) {
    for (size_t size = 0; size <= input.size(); size += 8) {
      run(input.substr(0, size));
    }
  }
}

}  // namespace
}  // namespace sabir::rpc
