#include "runtime/gateway/sends.h"

#include <condition_variable>
#include <utility>
#include <vector>

namespace sabir::gateway {

void Sends::send(const client::Client* client, const std::shared_ptr<PeerLink>& link, uint64_t transfer,
                 std::span<const uint8_t> source, std::function<void()> let_go) {
  uint64_t number = 0;
  {
    std::lock_guard guard(lock_);
    number = next_++;
    sends_.emplace(number, Send{client, link, transfer});
  }
  link->send(transfer, source, [this, number, let_go = std::move(let_go)](const Result<void>&) {
    ended(number);
    let_go();
  });
}

void Sends::ended(uint64_t number) {
  std::lock_guard guard(lock_);
  sends_.erase(number);
}

void Sends::end(const client::Client* client) {
  std::vector<Send> its;
  {
    std::lock_guard guard(lock_);
    for (const auto& [number, send] : sends_) {
      if (send.client == client) {
        its.push_back(send);
      }
    }
  }
  struct Left {
    std::mutex lock;
    std::condition_variable changed;
    size_t count = 0;
  };
  auto left = std::make_shared<Left>();
  left->count = its.size();
  for (const Send& send : its) {
    send.link->cancel_send(send.transfer, [left] {
      std::lock_guard guard(left->lock);
      --left->count;
      left->changed.notify_all();
    });
  }
  std::unique_lock held(left->lock);
  left->changed.wait(held, [&] { return left->count == 0; });
}

}  // namespace sabir::gateway
