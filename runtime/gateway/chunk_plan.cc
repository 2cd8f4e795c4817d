#include "runtime/gateway/chunk_plan.h"

#include <algorithm>

namespace sabir::gateway {

ChunkPlan::ChunkPlan(uint64_t size_bytes)
    : size_bytes_(size_bytes),
      chunks_(std::max<uint64_t>(1, (size_bytes + kChunkBytes - 1) / kChunkBytes), Chunk::kMissing) {}

size_t ChunkPlan::add_source() {
  sources_.emplace_back();
  return sources_.size() - 1;
}

void ChunkPlan::drop_source(size_t source) { sources_[source].dropped = true; }

bool ChunkPlan::has_source() const {
  return std::any_of(sources_.begin(), sources_.end(), [](const Source& source) { return !source.dropped; });
}

std::optional<ChunkPlan::Ask> ChunkPlan::next() {
  while (first_missing_ < chunks_.size() && chunks_[first_missing_] != Chunk::kMissing) {
    ++first_missing_;
  }
  if (first_missing_ == chunks_.size()) {
    return std::nullopt;
  }
  for (size_t i = 0; i < sources_.size(); ++i) {
    size_t source = (turn_ + i) % sources_.size();
    if (sources_[source].dropped || sources_[source].asked == kPerSource) {
      continue;
    }
    turn_ = source + 1;
    ++sources_[source].asked;
    chunks_[first_missing_] = Chunk::kAsked;
    uint64_t offset = first_missing_ * kChunkBytes;
    return Ask{source, first_missing_, offset, std::min(kChunkBytes, size_bytes_ - offset)};
  }
  return std::nullopt;
}

void ChunkPlan::arrived(const Ask& ask) {
  --sources_[ask.source].asked;
  chunks_[ask.chunk] = Chunk::kHere;
  ++here_;
}

void ChunkPlan::failed(const Ask& ask) {
  --sources_[ask.source].asked;
  chunks_[ask.chunk] = Chunk::kMissing;
  first_missing_ = std::min(first_missing_, ask.chunk);
}

bool ChunkPlan::has(uint64_t offset, uint64_t size_bytes) const {
  if (offset > size_bytes_ || size_bytes > size_bytes_ - offset) {
    return false;
  }
  size_t end = std::min(chunks_.size(), (offset + size_bytes + kChunkBytes - 1) / kChunkBytes);
  return std::all_of(chunks_.begin() + static_cast<ptrdiff_t>(std::min(offset / kChunkBytes, end)),
                     chunks_.begin() + static_cast<ptrdiff_t>(end), [](Chunk chunk) { return chunk == Chunk::kHere; });
}

}  // namespace sabir::gateway
