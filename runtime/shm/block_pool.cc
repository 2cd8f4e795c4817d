#include "runtime/shm/block_pool.h"

#include <bit>

namespace sabir::shm {

uint32_t BlockPool::class_of(size_t size_bytes) {
  size_t rounded = std::bit_ceil(size_bytes < kMinBlockBytes ? kMinBlockBytes : size_bytes);
  return static_cast<uint32_t>(std::countr_zero(rounded) - std::countr_zero(kMinBlockBytes));
}

void BlockPool::add_chunk(uint32_t index) {
  SABIR_CHECK(index < kMaxBlockChunks, "chunk=", index);
  auto [place, added] = chunks_.try_emplace(index);
  SABIR_CHECK(added, "chunk=", index);
  place->second.index = index;
}

void BlockPool::set_class(Chunk& chunk, uint32_t size_class) {
  if (chunk.listed) {
    std::erase(with_room_[chunk.size_class], &chunk);
  }
  chunk.size_class = size_class;
  // Unit 0 is no block.
  chunk.fresh = chunk.index == 0 ? 1 : 0;
  chunk.free.clear();
  chunk.used.assign(blocks_in(size_class), false);
  chunk.listed = true;
  with_room_[size_class].push_back(&chunk);
}

BlockPool::Chunk* BlockPool::chunk_with_room(uint32_t size_class) {
  std::vector<Chunk*>& listed = with_room_[size_class];
  while (!listed.empty()) {
    Chunk* chunk = listed.back();
    if (!chunk->free.empty() || chunk->fresh < blocks_in(size_class)) {
      return chunk;
    }
    chunk->listed = false;
    listed.pop_back();
  }
  return nullptr;
}

BlockPool::Chunk* BlockPool::empty_chunk() {
  for (auto& [index, chunk] : chunks_) {
    if (chunk.used_count == 0) {
      return &chunk;
    }
  }
  return nullptr;
}

uint32_t BlockPool::take_from(Chunk& chunk) {
  uint32_t block;
  if (!chunk.free.empty()) {
    block = chunk.free.back();
    chunk.free.pop_back();
  } else {
    block = chunk.fresh++;
  }
  chunk.used[block] = true;
  ++chunk.used_count;
  ++used_count_;
  uint32_t units = static_cast<uint32_t>((kMinBlockBytes << chunk.size_class) / kBlockUnitBytes);
  return chunk.index * kUnitsPerChunk + block * units;
}

uint32_t BlockPool::allocate(size_t size_bytes) {
  SABIR_CHECK(size_bytes > 0 && size_bytes <= kMaxBlockBytes, "size_bytes=", size_bytes);
  uint32_t size_class = class_of(size_bytes);
  Chunk* chunk = chunk_with_room(size_class);
  if (chunk == nullptr) {
    chunk = empty_chunk();
    if (chunk == nullptr) {
      return kNoBlock;
    }
    set_class(*chunk, size_class);
  }
  return take_from(*chunk);
}

bool BlockPool::free(uint32_t unit) {
  auto place = chunks_.find(unit / kUnitsPerChunk);
  if (place == chunks_.end() || place->second.used_count == 0) {
    return false;
  }
  Chunk& chunk = place->second;
  uint32_t units = static_cast<uint32_t>((kMinBlockBytes << chunk.size_class) / kBlockUnitBytes);
  uint32_t block = unit % kUnitsPerChunk / units;
  if (unit % units != 0 || block >= chunk.used.size() || !chunk.used[block]) {
    return false;
  }
  chunk.used[block] = false;
  --chunk.used_count;
  --used_count_;
  chunk.free.push_back(static_cast<uint16_t>(block));
  if (!chunk.listed) {
    chunk.listed = true;
    with_room_[chunk.size_class].push_back(&chunk);
  }
  return true;
}

}  // namespace sabir::shm
