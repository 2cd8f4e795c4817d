#include "runtime/shm/process_ring.h"

namespace sabir::shm {
namespace {

constexpr uint64_t kBlockUnitLimit = uint64_t{kMaxBlockChunks} * (kBlockChunkBytes / kBlockUnitBytes);

bool valid_entry(uint64_t entry, uint64_t generation) { return entry < kMaxEntries && generation <= kGenerationMask; }

// Of a packed CellRef every generation is allowed.
std::optional<CellRef> valid_cell(uint64_t packed) {
  CellRef ref = CellRef::unpack(packed);
  return ref.cell < kMaxCells ? std::optional<CellRef>(ref) : std::nullopt;
}

RingMessage on_entry(RingOp op, EntryRef entry) {
  RingMessage message;
  message.op = op;
  message.entry = entry;
  return message;
}

bool decode_deliver(const RingRecord& record, RingMessage& message) {
  if (record.flag > static_cast<uint8_t>(DeliverPlace::kLost)) {
    return false;
  }
  message.place = static_cast<DeliverPlace>(record.flag);
  switch (message.place) {
    case DeliverPlace::kBlock:
      message.block_unit = static_cast<uint32_t>(record.a);
      message.size_bytes = record.b;
      return record.a < kBlockUnitLimit && record.b <= kMaxBlockBytes &&
             record.b <= (kBlockUnitLimit - record.a) * kBlockUnitBytes;
    case DeliverPlace::kObject:
      message.object = {record.b, static_cast<EntryIndex>(record.a)};
      return valid_entry(record.a, record.b);
    case DeliverPlace::kNull:
    case DeliverPlace::kLost:
      return true;
  }
  return false;
}

}  // namespace

RingMessage RingMessage::announce(EntryRef entry, uint64_t offset, uint64_t size_bytes, bool closes_loan) {
  RingMessage message = on_entry(RingOp::kAnnounce, entry);
  message.closes_loan = closes_loan;
  message.offset = offset;
  message.size_bytes = size_bytes;
  return message;
}
RingMessage RingMessage::escape(EntryRef entry, CellRef cell_or_none, uint16_t return_index) {
  RingMessage message = on_entry(RingOp::kEscape, entry);
  message.return_index = return_index;
  message.cell = cell_or_none;
  return message;
}
RingMessage RingMessage::elsewhere(EntryRef entry, uint64_t size_bytes) {
  RingMessage message = on_entry(RingOp::kEscape, entry);
  message.is_elsewhere = true;
  message.size_bytes = size_bytes;
  return message;
}
RingMessage RingMessage::bind(EntryRef entry, CellRef cell) {
  RingMessage message = on_entry(RingOp::kBind, entry);
  message.cell = cell;
  return message;
}
RingMessage RingMessage::deliver_block(EntryRef entry, uint32_t block_unit, uint64_t size_bytes) {
  RingMessage message = on_entry(RingOp::kDeliver, entry);
  message.place = DeliverPlace::kBlock;
  message.block_unit = block_unit;
  message.size_bytes = size_bytes;
  return message;
}
RingMessage RingMessage::deliver_object(EntryRef entry, EntryRef object) {
  RingMessage message = on_entry(RingOp::kDeliver, entry);
  message.place = DeliverPlace::kObject;
  message.object = object;
  return message;
}
RingMessage RingMessage::deliver_null(EntryRef entry) {
  RingMessage message = on_entry(RingOp::kDeliver, entry);
  message.place = DeliverPlace::kNull;
  return message;
}
RingMessage RingMessage::deliver_lost(EntryRef entry) {
  RingMessage message = on_entry(RingOp::kDeliver, entry);
  message.place = DeliverPlace::kLost;
  return message;
}
RingMessage RingMessage::hold(EntryRef entry) { return on_entry(RingOp::kHold, entry); }
RingMessage RingMessage::release(EntryRef entry) { return on_entry(RingOp::kRelease, entry); }
RingMessage RingMessage::hold_cell(EntryRef entry, CellRef cell) {
  RingMessage message = on_entry(RingOp::kHoldCell, entry);
  message.cell = cell;
  return message;
}
RingMessage RingMessage::drop_cell(CellRef cell) {
  RingMessage message = on_entry(RingOp::kDropCell, {});
  message.cell = cell;
  return message;
}
RingMessage RingMessage::hold_nested(EntryRef entry, EntryRef container) {
  RingMessage message = on_entry(RingOp::kHoldNested, entry);
  message.object = container;
  return message;
}
RingMessage RingMessage::subscribe(EntryRef entry) { return on_entry(RingOp::kSubscribe, entry); }
RingMessage RingMessage::pin(EntryRef entry) { return on_entry(RingOp::kPin, entry); }
RingMessage RingMessage::unpin(EntryRef entry) { return on_entry(RingOp::kUnpin, entry); }
RingMessage RingMessage::keep(EntryRef entry, uint16_t return_index) {
  RingMessage message = on_entry(RingOp::kKeep, entry);
  message.return_index = return_index;
  return message;
}
RingMessage RingMessage::close_loan(uint64_t offset) {
  RingMessage message = on_entry(RingOp::kCloseLoan, {});
  message.offset = offset;
  return message;
}

RingRecord encode(const RingMessage& message) {
  RingRecord record = {};
  record.op = static_cast<uint8_t>(message.op);
  record.entry = message.entry.entry;
  record.generation = message.entry.generation;
  switch (message.op) {
    case RingOp::kAnnounce:
      record.flag = message.closes_loan ? kAnnounceClosesLoan : 0;
      record.a = message.offset;
      record.b = message.size_bytes;
      break;
    case RingOp::kCloseLoan:
      record.a = message.offset;
      break;
    case RingOp::kEscape:
      record.flag = message.is_elsewhere ? kEscapeIsElsewhere : 0;
      record.spare = message.return_index;
      record.a = message.cell.pack();
      record.b = message.size_bytes;
      break;
    case RingOp::kBind:
    case RingOp::kHoldCell:
    case RingOp::kDropCell:
      record.a = message.cell.pack();
      break;
    case RingOp::kHoldNested:
      record.a = message.object.entry;
      record.b = message.object.generation;
      break;
    case RingOp::kDeliver:
      record.flag = static_cast<uint8_t>(message.place);
      if (message.place == DeliverPlace::kBlock) {
        record.a = message.block_unit;
        record.b = message.size_bytes;
      } else if (message.place == DeliverPlace::kObject) {
        record.a = message.object.entry;
        record.b = message.object.generation;
      }
      break;
    case RingOp::kNone:
    case RingOp::kHold:
    case RingOp::kRelease:
    case RingOp::kSubscribe:
    case RingOp::kPin:
    case RingOp::kUnpin:
      break;
    case RingOp::kKeep:
      record.spare = message.return_index;
      break;
  }
  return record;
}

std::optional<RingMessage> decode(const RingRecord& record) {
  if (!valid_entry(record.entry, record.generation)) {
    return std::nullopt;
  }
  RingMessage message = on_entry(static_cast<RingOp>(record.op), {record.generation, record.entry});
  bool valid = false;
  switch (message.op) {
    case RingOp::kHold:
    case RingOp::kRelease:
    case RingOp::kSubscribe:
    case RingOp::kPin:
    case RingOp::kUnpin:
      valid = true;
      break;
    case RingOp::kKeep:
      message.return_index = record.spare;
      valid = true;
      break;
    case RingOp::kAnnounce:
      message.closes_loan = (record.flag & kAnnounceClosesLoan) != 0;
      message.offset = record.a;
      message.size_bytes = record.b;
      valid = record.a <= ~record.b;  // the sum does not wrap; the store knows its own size
      break;
    case RingOp::kCloseLoan:
      message.offset = record.a;
      valid = true;
      break;
    case RingOp::kEscape:
      message.return_index = record.spare;
      message.is_elsewhere = (record.flag & kEscapeIsElsewhere) != 0;
      message.size_bytes = message.is_elsewhere ? record.b : 0;
      [[fallthrough]];
    case RingOp::kBind:
    case RingOp::kHoldCell:
    case RingOp::kDropCell: {
      std::optional<CellRef> cell = valid_cell(record.a);
      message.cell = cell.value_or(CellRef{});
      valid = cell.has_value();
      break;
    }
    case RingOp::kHoldNested:
      message.object = {record.b, static_cast<EntryIndex>(record.a)};
      valid = valid_entry(record.a, record.b);
      break;
    case RingOp::kDeliver:
      valid = decode_deliver(record, message);
      break;
    case RingOp::kNone:
      break;
  }
  return valid ? std::optional<RingMessage>(message) : std::nullopt;
}

bool RingProducer::try_push_all(std::span<const RingRecord> records) {
  SABIR_CHECK(records.size() <= kProcessRingEntries, "records=", records.size());
  if (records.size() > room()) [[unlikely]] {
    return false;
  }
  for (size_t i = 0; i < records.size(); ++i) {
    ring_.records[(tail_ + i) % kProcessRingEntries] = records[i];
  }
  SABIR_SHM_FAULT(kRingPushBeforeTail);
  tail_ += records.size();
  ring_.tail.store(tail_, std::memory_order_release);
  SABIR_SHM_FAULT(kRingPushAfterTail);
  return true;
}

uint32_t RingProducer::room() {
  uint64_t used = tail_ - head_;
  if (used >= kProcessRingEntries / 2) {
    head_ = ring_.head.load(std::memory_order_acquire);
    used = tail_ - head_;
  }
  return used < kProcessRingEntries ? kProcessRingEntries - static_cast<uint32_t>(used) : 0;
}

bool RingProducer::passed(uint64_t position) {
  if (static_cast<int64_t>(head_ - position) < 0) {
    head_ = ring_.head.load(std::memory_order_acquire);
  }
  return static_cast<int64_t>(head_ - position) >= 0;
}

RingConsumer::Round RingConsumer::begin_round() const {
  uint64_t tail = ring_.tail.load(std::memory_order_acquire);
  if (tail - head_ > kProcessRingEntries) {
    return {head_, true};
  }
  return {tail, false};
}

bool RingConsumer::next(const Round& round, RingRecord& out) {
  if (head_ == round.end) {
    return false;
  }
  out = copy_untrusted(ring_.records[head_ % kProcessRingEntries]);
  ++head_;
  return true;
}

}  // namespace sabir::shm
