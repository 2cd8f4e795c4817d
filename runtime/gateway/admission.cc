#include "runtime/gateway/admission.h"

#include <algorithm>
#include <utility>

namespace sabir::gateway {

void Admission::enter(const void* owner, uint64_t size_bytes, Priority priority, Begin begin) {
  lane(priority).waiting.push_back({owner, size_bytes, std::move(begin)});
}

void Admission::leave(uint64_t size_bytes, Priority priority) {
  lane(priority).under_way_bytes -= size_bytes;
  --lane(priority).under_way;
}

std::vector<Admission::Begin> Admission::take() {
  std::vector<Begin> begun;
  for (Lane& lane : lanes_) {
    // Nothing overtakes within a lane: what is large would never have its turn.
    while (!lane.waiting.empty()) {
      uint64_t size_bytes = lane.waiting.front().size_bytes;
      bool fits = lane.under_way_bytes <= budget_bytes_ && size_bytes <= budget_bytes_ - lane.under_way_bytes;
      if (lane.under_way != 0 && !fits) {
        break;
      }
      lane.under_way_bytes += size_bytes;
      ++lane.under_way;
      begun.push_back(std::move(lane.waiting.front().begin));
      lane.waiting.pop_front();
    }
  }
  return begun;
}

std::vector<Admission::Begin> Admission::remove(const void* owner) {
  std::vector<Begin> removed;
  for (Lane& lane : lanes_) {
    std::erase_if(lane.waiting, [&](Waiting& one) {
      if (one.owner == owner) {
        removed.push_back(std::move(one.begin));
      }
      return one.owner == owner;
    });
  }
  return removed;
}

bool Admission::is_waiting() const {
  return std::any_of(lanes_.begin(), lanes_.end(), [](const Lane& lane) { return !lane.waiting.empty(); });
}

}  // namespace sabir::gateway
