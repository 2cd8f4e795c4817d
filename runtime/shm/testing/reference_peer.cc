#include "runtime/shm/testing/reference_peer.h"

namespace sabir::shm::testing {

Peer::Peer(const NodeView& node, const CallsView& calls, Scoreboard& board, const PeerConfig& config)
    : node_(node),
      calls_(calls),
      board_(board),
      self_(config.slot),
      random_(config.seed),
      daemon_(config.event_fd, node.header()),
      deaths_(node, calls.page(config.slot)),
      blocks_(calls, return_stack(calls, config.slot)) {
  for (uint32_t chunk : config.block_chunks) {
    blocks_.add_chunk(chunk);
  }
}

// Most calls are tiny, some need a block each way.
uint32_t args_bytes_of(uint64_t ticket) { return ticket % 8 == 0 ? 100 + ticket % 700 : ticket % 24; }
uint32_t result_bytes_of(uint64_t ticket) { return ticket % 8 == 1 ? 100 + ticket % 3000 : ticket % 32; }

void fill_bytes(uint8_t* out, uint32_t size_bytes, uint64_t seed) {
  for (uint32_t i = 0; i < size_bytes; ++i) {
    out[i] = static_cast<uint8_t>(seed + i * 17);
  }
}

bool check_bytes(const uint8_t* data, uint32_t size_bytes, uint64_t seed) {
  for (uint32_t i = 0; i < size_bytes; ++i) {
    if (data[i] != static_cast<uint8_t>(seed + i * 17)) {
      return false;
    }
  }
  return true;
}

}  // namespace sabir::shm::testing
