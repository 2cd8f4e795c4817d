// Feeds bytes to a bulk connection's machine as a peer would that has logged in and then does what it likes.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "runtime/base/check.h"
#include "runtime/base/clock.h"
#include "runtime/rpc/node_link/bulk_machine.h"

using namespace sabir;             // NOLINT: a fuzzer's own file
using namespace sabir::node_link;  // NOLINT: a fuzzer's own file

namespace {

constexpr size_t kTransfers = 6;

struct Ends {
  int sends[kTransfers] = {};
  int receives[kTransfers] = {};
};

// Ids 1 to 6 are sent, 1 to 6 are received (ids of the two directions have nothing to do with each other), of sizes
// around the window.
void start(BulkMachine& machine, Ends& ends, std::vector<std::vector<uint8_t>>& memory) {
  for (size_t i = 0; i < kTransfers; ++i) {
    memory.emplace_back(i * 700);
    std::vector<uint8_t>& bytes = memory.back();
    machine.send({.transfer_id = i + 1, .source = bytes, .on_end = [&ends, i](Result<void>) { ++ends.sends[i]; }});
    memory.emplace_back(i * 700);
    machine.receive({.transfer_id = i + 1,
                     .destination = memory.back(),
                     .on_end = [&ends, i](Result<void>) { ++ends.receives[i]; },
                     .on_progress = [i](uint64_t bytes) { SABIR_CHECK(bytes <= i * 700); }});
  }
}

void write_some(BulkMachine& machine, size_t frames) {
  for (size_t i = 0; i < frames && machine.next_frame(); ++i) {
    auto frame = machine.next_frame();
    SABIR_CHECK(decode_bulk_header(frame->header).ok(), "what goes out is well formed");
    machine.on_written();
  }
}

}  // namespace

// The entry that libFuzzer calls, and the seeded test beside this file. Input: frames, each with a byte before it that
// says what else happens.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  ManualClock clock;
  std::vector<std::vector<uint8_t>> memory;
  memory.reserve(2 * kTransfers);
  Ends ends;
  BulkMachine machine(clock, {.window_bytes = 2048, .max_transfers = 16});
  start(machine, ends, memory);
  auto run = [&machine] {
    for (auto& call : machine.take_calls()) {
      call();
    }
  };
  run();
  while (size_bytes > kBulkHeaderBytes) {
    uint8_t also = data[0];
    auto header = decode_bulk_header(std::span<const uint8_t, kBulkHeaderBytes>(data + 1, kBulkHeaderBytes));
    data += 1 + kBulkHeaderBytes;
    size_bytes -= 1 + kBulkHeaderBytes;
    if (!header.ok()) {
      break;
    }
    SABIR_CHECK(encode_bulk_header(*header) == encode_bulk_header(*decode_bulk_header(encode_bulk_header(*header))));
    auto incoming = machine.on_header(*header);
    if (!incoming.ok()) {
      break;
    }
    if (incoming->size_bytes > 0) {
      SABIR_CHECK(incoming->destination.empty() || incoming->destination.size() == incoming->size_bytes);
      if (size_bytes < incoming->size_bytes) {
        break;
      }
      if (!incoming->destination.empty()) {
        memcpy(incoming->destination.data(), data, incoming->size_bytes);
      }
      data += incoming->size_bytes;
      size_bytes -= incoming->size_bytes;
      machine.on_payload_end();
    }
    run();
    write_some(machine, also % 4);
    uint64_t transfer_id = 1 + (also >> 2) % kTransfers;
    if ((also & 0x80) != 0) {
      machine.cancel_receive(transfer_id);
      machine.cancel_send(1 + (transfer_id + 3) % kTransfers, cancelled_error("fuzzer"));
    }
    if (also == 0x7f) {
      clock.advance_ns(31 * kSecondNs);
      machine.expire();
    }
    run();
    SABIR_CHECK(machine.entry_count() <= 4096);
  }
  machine.close(closed_error("end"));
  run();
  for (size_t i = 0; i < kTransfers; ++i) {
    SABIR_CHECK(ends.sends[i] == 1 && ends.receives[i] == 1, "each transfer ends once");
  }
  return 0;
}
