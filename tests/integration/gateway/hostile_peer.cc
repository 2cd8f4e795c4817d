#include "tests/integration/gateway/hostile_peer.h"

#include <algorithm>
#include <cstring>

namespace sabir::testing {
namespace {

constexpr size_t kMaxNumbers = 64;

}  // namespace

void HostilePeer::learn(const rpc::NodeMessage& message) {
  auto keep = [&](uint64_t number) {
    numbers_.push_back(number);
    if (numbers_.size() > kMaxNumbers) {
      numbers_.erase(numbers_.begin() + static_cast<std::ptrdiff_t>(pick(kMaxNumbers)));
    }
  };
  if (const auto* call = std::get_if<rpc::CallMessage>(&message)) {
    keep(call->number);
  } else if (const auto* open = std::get_if<rpc::OpenActorMessage>(&message)) {
    keep(open->number);
  }
}

uint64_t HostilePeer::number() {
  bool own = numbers_.empty() || pick(4) == 0;
  return own ? pick(8) : numbers_[pick(numbers_.size())];
}

std::string HostilePeer::bytes(size_t most) {
  std::string text(pick(most + 1), '\0');
  for (char& byte : text) {
    byte = static_cast<char>(random_());
  }
  return text;
}

// What it refers to is below `bound`: values in a circle would keep each other for as long as their session lives.
rpc::WireValue HostilePeer::value(uint64_t bound) {
  rpc::WireValue value;
  value.encoding = static_cast<uint8_t>(pick(6));
  value.language = static_cast<uint8_t>(pick(5));
  value.variant = static_cast<uint8_t>(pick(3));
  value.is_error = pick(5) == 0;
  if (pick(3) == 0 && bound > 1) {
    bound = 1 + pick(bound - 1);
    constexpr uint64_t kSizes[] = {0, 1, 100, 100'000, 5'000'000, uint64_t{1} << 40, UINT64_MAX};
    value.stored = rpc::WireValue::Stored{{77, bound}, kSizes[pick(7)]};
  } else {
    value.bytes = bytes(pick(20) == 0 ? 20'000 : 60);
  }
  for (uint64_t refs = bound > 1 ? pick(3) : 0; refs > 0; --refs) {
    rpc::WireRef& ref = value.refs.emplace_back();
    ref.id = {77, 1 + pick(bound - 1)};
    if (pick(3) == 0) {
      ref.value = std::make_unique<rpc::WireValue>(this->value(ref.id.sequence));
    } else if (pick(4) == 0) {
      ref.actor = std::make_unique<rpc::WireActor>();
      ref.actor->home = {std::string(pick(4) == 0 ? 3 : 16, 'h'), pick(3)};
      ref.actor->class_info = bytes(40);
      ref.actor->language = static_cast<uint8_t>(pick(5));
    }
  }
  return value;
}

std::vector<rpc::WireArg> HostilePeer::args() {
  std::vector<rpc::WireArg> args;
  for (uint64_t count = pick(4); count > 0; --count) {
    args.push_back({pick(4) == 0 ? bytes(10) : "", value()});
  }
  return args;
}

rpc::NodeMessage HostilePeer::definition() {
  auto small = static_cast<uint32_t>(1 + pick(3));
  switch (pick(3)) {
    case 0: {
      rpc::JobDefinition job{.number = small, .id = std::string(pick(20) == 0 ? 4 : 16, 'j')};
      return job;
    }
    case 1: {
      rpc::FunctionInfo function;
      function.kind = static_cast<uint32_t>(pick(4));
      function.language = static_cast<uint8_t>(pick(4));
      function.name = bytes(20);
      function.code = bytes(100);
      return rpc::FunctionDefinition{small, std::move(function)};
    }
    default: {
      rpc::ClassDefinition definition{.number = small};
      constexpr int64_t kUnits[] = {10'000, 0, -5, 1, INT64_MAX, 10'000};
      for (uint64_t count = pick(3); count > 0; --count) {
        definition.resources.push_back({pick(5) == 0 ? bytes(8) : "CPU", kUnits[pick(6)]});
      }
      return definition;
    }
  }
}

rpc::NodeMessage HostilePeer::about_calls() {
  auto small = [&] { return static_cast<uint32_t>(1 + pick(3)); };
  switch (pick(5)) {
    case 0:
    case 1: {
      rpc::CallMessage call{.number = number(), .job = small(), .function = small(), .class_number = small()};
      constexpr uint16_t kReturns[] = {1, 0, 2, 7, UINT16_MAX};
      call.num_returns = kReturns[pick(10) == 0 ? pick(5) : 0];
      call.attempt = static_cast<uint16_t>(pick(3));
      call.args = args();
      call.actor = pick(3) == 0 ? number() : 0;
      return call;
    }
    case 2:
    case 3: {
      rpc::ResultMessage result{.number = number(), .outcome = static_cast<rpc::Outcome>(pick(5))};
      for (uint64_t count = pick(4) == 0 ? pick(4) : 1; count > 0; --count) {
        result.values.push_back(value());
      }
      result.message = bytes(50);
      return result;
    }
    default: {
      rpc::ObjectId resolved = id();
      return rpc::ResolvedMessage{resolved, value(resolved.sequence)};
    }
  }
}

rpc::NodeMessage HostilePeer::about_actors() {
  switch (pick(4)) {
    case 0: {
      rpc::OpenActorMessage open{.number = number(), .job = static_cast<uint32_t>(1 + pick(3))};
      open.actor_id = std::string(pick(10) == 0 ? 3 : 16, static_cast<char>('a' + pick(3)));
      if (pick(2) == 0) {
        open.creation.emplace();
        open.creation->function = static_cast<uint32_t>(1 + pick(3));
        open.creation->class_number = static_cast<uint32_t>(1 + pick(3));
        open.creation->max_concurrency = static_cast<uint32_t>(pick(3));
        open.creation->class_info = bytes(50);
        open.creation->args = args();
      }
      return open;
    }
    case 1:
      return rpc::ActorStateMessage{number(), static_cast<rpc::RemoteActorState>(pick(4)), bytes(30), bytes(60)};
    case 2:
      return rpc::CloseActorMessage{number(), pick(2) == 0};
    default:
      return rpc::KillActorMessage{number(), pick(2) == 0};
  }
}

rpc::NodeMessage HostilePeer::about_objects() {
  switch (pick(5)) {
    case 0: {
      rpc::ReleasedMessage released;
      for (uint64_t count = pick(4); count > 0; --count) {
        released.ids.push_back(id());
      }
      return released;
    }
    case 1: {
      constexpr uint64_t kNumbers[] = {0, 1, 4096, 1 << 20, UINT64_MAX, UINT64_MAX - 5};
      return rpc::PullMessage{id(), pick(5), kNumbers[pick(6)], kNumbers[pick(6)]};
    }
    case 2:
      return rpc::LocateMessage{id()};
    case 3: {
      rpc::LocatedMessage located{.id = id(), .self = pick(2) == 0};
      for (uint64_t count = pick(3); count > 0; --count) {
        located.others.push_back({std::string(pick(5) == 0 ? 2 : 16, static_cast<char>('p' + pick(4))), pick(3)});
      }
      return located;
    }
    default:
      return rpc::CopyStateMessage{
          id(), static_cast<rpc::CopyState>(pick(3)), {std::string(16, static_cast<char>('p' + pick(4))), pick(3)}};
  }
}

rpc::NodeMessage HostilePeer::next() {
  switch (pick(10)) {
    case 0:
    case 1:
      return definition();
    case 2:
      return pick(20) == 0 ? rpc::NodeMessage(rpc::JobOverMessage{static_cast<uint32_t>(1 + pick(3))})
                           : rpc::NodeMessage(rpc::BetweenMessage{bytes(50)});
    case 3:
    case 4:
    case 5:
      return about_calls();
    case 6:
    case 7:
      return about_actors();
    default:
      return about_objects();
  }
}

void HostileLink::post(rpc::NodeMessage message) {
  std::lock_guard guard(peer_lock_);
  ++posted_;
  peer_.learn(message);
}

uint64_t HostileLink::receive(std::span<uint8_t> destination, OnEnd on_end) {
  std::lock_guard guard(lock_);
  transfers_.push_back({++last_transfer_, destination, std::move(on_end)});
  return last_transfer_;
}

void HostileLink::cancel_receive(uint64_t transfer) {
  std::unique_lock held(lock_);
  auto found =
      std::find_if(transfers_.begin(), transfers_.end(), [&](const Transfer& one) { return one.number == transfer; });
  if (found == transfers_.end()) {
    return;
  }
  OnEnd on_end = std::move(found->on_end);
  transfers_.erase(found);
  held.unlock();
  on_end(cancelled_error("nobody wants it any more"));
}

void HostileLink::end_some(bool all) {
  std::vector<Transfer> ended;
  {
    std::lock_guard guard(lock_);
    std::lock_guard peer_guard(peer_lock_);
    auto stay = std::stable_partition(transfers_.begin(), transfers_.end(),
                                      [&](const Transfer&) { return !all && peer_.pick(2) == 0; });
    ended.assign(std::make_move_iterator(stay), std::make_move_iterator(transfers_.end()));
    transfers_.erase(stay, transfers_.end());
  }
  for (Transfer& transfer : ended) {
    if (!all && transfer.number % 3 != 0) {
      std::memset(transfer.destination.data(), static_cast<int>(transfer.number), transfer.destination.size());
      transfer.on_end({});
    } else {
      transfer.on_end(disconnected_error("the peer does not send it"));
    }
  }
}

}  // namespace sabir::testing
