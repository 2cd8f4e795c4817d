#include "runtime/rpc/notices.h"

#include <kj/debug.h>

#include <algorithm>
#include <utility>

#include "runtime/rpc/convert.h"

namespace sabir::rpc {

namespace {

constexpr size_t kMaxWarnings = 64;
constexpr size_t kMaxTextBytes = 64 * 1024;
constexpr size_t kObjectsAtOnce = 4096;

}  // namespace

struct Notices::Tasks final : kj::TaskSet::ErrorHandler {
  kj::TaskSet set{*this};
  void taskFailed(kj::Exception&&) override {}
};

std::shared_ptr<Notices> Notices::make(std::function<void()> on_close) {
  return std::shared_ptr<Notices>(new Notices(std::move(on_close)));
}

Notices::Notices(std::function<void()> on_close) : on_close_(std::move(on_close)), tasks_(std::make_unique<Tasks>()) {}

// Detached by now, or never subscribed: nothing here can throw.
Notices::~Notices() noexcept = default;

void Notices::subscribe(schema::Notices::Client client) {
  if (tasks_ != nullptr) {
    client_ = kj::mv(client);
    flush();
  }
}

void Notices::detach() {
  client_ = nullptr;
  on_close_ = nullptr;
  tasks_ = nullptr;
}

void Notices::track(kj::Promise<void> call, std::function<void(Notices&)> done) {
  // A failed call is a process that is about to be gone, or one that does not serve this notice: nothing to do here.
  auto ended = [this, done = std::move(done)] {
    done(*this);
    flush();
  };
  auto failed = [ended](kj::Exception&&) { ended(); };
  tasks_->set.add(call.then(kj::mv(ended), kj::mv(failed)));
}

bool Notices::log(std::vector<LogLines> lines) {
  if (log_in_flight_) {
    return false;
  }
  KJ_IF_MAYBE (client, client_) {
    auto request = client->logRequest();
    write_all(lines, request.initLines(static_cast<kj::uint>(lines.size())));
    log_in_flight_ = true;
    // Lines that are too many for one message are lost, not a reason to fail.
    track(kj::evalNow([&request] { return request.send().ignoreResult(); }),
          [](Notices& self) { self.log_in_flight_ = false; });
    return true;
  }
  return false;
}

void Notices::warn(std::string text) {
  if (warnings_.size() < kMaxWarnings) {
    text.resize(std::min(text.size(), kMaxTextBytes));
    warnings_.push_back(std::move(text));
    flush();
  }
}

void Notices::collect() {
  collect_asked_ = true;
  flush();
}

void Notices::exit(std::string reason) {
  exit_reason_ = std::move(reason);
  flush();
}

void Notices::group(std::string id, Result<void> outcome) {
  groups_.emplace_back(std::move(id), std::move(outcome));
  flush();
}

void Notices::objects(std::vector<ObjectChange> changes) {
  objects_.insert(objects_.end(), changes.begin(), changes.end());
  flush();
}

void Notices::close() {
  if (on_close_) {
    on_close_();
  }
}

void Notices::flush() {
  KJ_IF_MAYBE (client, client_) {
    if (warnings_in_flight_ == 0) {
      for (const std::string& text : std::exchange(warnings_, {})) {
        auto request = client->warnRequest();
        request.setText(text_of(text));
        ++warnings_in_flight_;
        track(request.send().ignoreResult(), [](Notices& self) { --self.warnings_in_flight_; });
      }
    }
    if (collect_asked_ && !collect_in_flight_) {
      collect_asked_ = false;
      collect_in_flight_ = true;
      track(client->collectRequest().send().ignoreResult(), [](Notices& self) { self.collect_in_flight_ = false; });
    }
    for (const auto& [id, outcome] : std::exchange(groups_, {})) {
      auto request = client->groupRequest();
      request.setId(data_of(id));
      if (!outcome.ok()) {
        write(outcome.error(), request.initFailure());
      }
      track(request.send().ignoreResult(), [](Notices&) {});
    }
    for (size_t at = 0; at < objects_.size(); at += kObjectsAtOnce) {
      auto end = std::min(objects_.size(), at + kObjectsAtOnce);
      auto request = client->objectsRequest();
      std::vector<ObjectChange> part(objects_.begin() + static_cast<ptrdiff_t>(at),
                                     objects_.begin() + static_cast<ptrdiff_t>(end));
      write_all(part, request.initChanges(static_cast<kj::uint>(part.size())));
      track(request.send().ignoreResult(), [](Notices&) {});
    }
    objects_.clear();
    if (exit_reason_.has_value()) {
      auto request = client->exitRequest();
      request.setReason(text_of(*exit_reason_));
      exit_reason_.reset();
      track(request.send().ignoreResult(), [](Notices&) {});
    }
  }
}

}  // namespace sabir::rpc
