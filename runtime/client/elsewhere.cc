#include "runtime/client/elsewhere.h"

#include <utility>

#include "runtime/client/lineage.h"
#include "runtime/client/progress.h"

namespace sabir::client {

void Elsewhere::set_handler(Handler handler) {
  std::lock_guard guard(handler_lock_);
  handler_ = std::move(handler);
}

void Elsewhere::on_notice(std::vector<rpc::ObjectChange> changes) {
  {
    std::lock_guard guard(lock_);
    news_.insert(news_.end(), changes.begin(), changes.end());
  }
  core_.progress->nudge_for_news();
}

void Elsewhere::settle() {
  std::vector<rpc::ObjectChange> news;
  {
    std::lock_guard guard(lock_);
    news.swap(news_);
  }
  for (const rpc::ObjectChange& change : news) {
    if (change.kind != rpc::ObjectChange::Kind::kLost) {
      std::lock_guard guard(handler_lock_);
      if (handler_) {
        handler_(change);
      }
      continue;
    }
    Lock lock(core_.lock);
    if (core_.check_open().ok()) {
      core_.lineage->lost({change.entry.generation, change.entry.entry});
      core_.pump();
    }
    core_.unlock_and_help(lock);
  }
}

}  // namespace sabir::client
