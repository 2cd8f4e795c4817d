// Which chunk of an object is asked of which node: decisions only, for one object on its way here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace sabir::gateway {

// One thread at a time. Chunks are asked for in order, so that what is here is mostly a beginning, which others can be
// served with; several sources share them, and what a source fails to bring is asked of another.
class ChunkPlan {
 public:
  static constexpr uint64_t kChunkBytes = 4 << 20;
  // Asked of one source at a time: enough that it always has the next one to send.
  static constexpr size_t kPerSource = 4;

  struct Ask {
    size_t source = 0;
    size_t chunk = 0;
    uint64_t offset = 0;
    uint64_t size_bytes = 0;
  };

  explicit ChunkPlan(uint64_t size_bytes);

  // Numbers rise from 0 and are not used again.
  size_t add_source();
  // It is asked for nothing more. What it was asked for still ends, by arrived() or failed().
  void drop_source(size_t source);
  bool has_source() const;

  // What to ask for now; call it until there is nothing.
  std::optional<Ask> next();
  void arrived(const Ask& ask);
  void failed(const Ask& ask);

  bool is_complete() const { return here_ == chunks_.size(); }
  // Whether all of these bytes are here.
  bool has(uint64_t offset, uint64_t size_bytes) const;

 private:
  enum class Chunk : uint8_t { kMissing, kAsked, kHere };
  struct Source {
    size_t asked = 0;
    bool dropped = false;
  };

  const uint64_t size_bytes_;
  std::vector<Chunk> chunks_;  // at least one: an object may be empty
  std::vector<Source> sources_;
  size_t first_missing_ = 0;  // none before it is missing
  size_t here_ = 0;
  size_t turn_ = 0;  // of the sources
};

}  // namespace sabir::gateway
