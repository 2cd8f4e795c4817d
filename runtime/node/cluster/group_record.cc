#include "runtime/node/cluster/group_record.h"

#include <optional>

#include "runtime/control/record.h"

namespace sabir::cluster {
namespace {

constexpr uint8_t kVersion = 1;

template <typename AnyId>
AnyId read_id(control::RecordReader& in, bool& good) {
  std::optional<IdBits> bits = IdBits::from_bytes(in.text());
  good = good && bits.has_value();
  return bits ? AnyId(*bits) : AnyId();
}

}  // namespace

std::string encode_group(const GroupRecord& record) {
  const GroupSpec& spec = record.spec;
  control::RecordWriter out(kVersion);
  out.text(spec.id.bits().view()).text(spec.job.bits().view()).text(spec.home.id.bits().view());
  out.number(spec.home.incarnation).text(spec.name).text(spec.name_space).flag(spec.detached);
  out.number(static_cast<uint8_t>(spec.strategy)).number(record.order).flag(record.ready);
  out.number(static_cast<uint32_t>(spec.bundles.size()));
  for (size_t i = 0; i < spec.bundles.size(); ++i) {
    const BundleSpec& bundle = spec.bundles[i];
    out.number(static_cast<uint32_t>(bundle.resources.size()));
    for (const ResourceRequest& amount : bundle.resources) {
      out.text(amount.name).number(amount.units);
    }
    out.number(static_cast<uint32_t>(bundle.selector.size()));
    for (const LabelTerm& term : bundle.selector) {
      out.text(term.key).number(static_cast<uint8_t>(term.op)).number(static_cast<uint32_t>(term.values.size()));
      for (const std::string& value : term.values) {
        out.text(value);
      }
    }
    const GroupRecord::Bundle& place = record.bundles[i];
    out.text(place.node.id.bits().view()).number(place.node.incarnation).number(place.attempt);
  }
  return out.take();
}

Result<GroupRecord> decode_group(std::string_view bytes) {
  GroupRecord record;
  GroupSpec& spec = record.spec;
  control::RecordReader in(bytes, kVersion);
  bool good = true;
  spec.id = read_id<GroupId>(in, good);
  spec.job = read_id<JobKey>(in, good);
  spec.home.id = read_id<NodeId>(in, good);
  spec.home.incarnation = in.number<uint64_t>();
  spec.name = in.text();
  spec.name_space = in.text();
  spec.detached = in.flag();
  spec.strategy = static_cast<GroupStrategy>(in.number<uint8_t>());
  record.order = in.number<uint64_t>();
  record.ready = in.flag();
  for (auto left = in.number<uint32_t>(); left > 0 && in.ok() && good; --left) {
    BundleSpec& bundle = spec.bundles.emplace_back();
    for (auto amounts = in.number<uint32_t>(); amounts > 0 && in.ok(); --amounts) {
      std::string name = in.text();
      auto units = in.number<Units>();
      bundle.resources.push_back({std::move(name), units});
    }
    for (auto terms = in.number<uint32_t>(); terms > 0 && in.ok(); --terms) {
      LabelTerm& term = bundle.selector.emplace_back();
      term.key = in.text();
      term.op = static_cast<LabelTerm::Op>(in.number<uint8_t>());
      for (auto values = in.number<uint32_t>(); values > 0 && in.ok(); --values) {
        term.values.push_back(in.text());
      }
    }
    GroupRecord::Bundle& place = record.bundles.emplace_back();
    place.node.id = read_id<NodeId>(in, good);
    place.node.incarnation = in.number<uint64_t>();
    place.attempt = in.number<uint64_t>();
  }
  if (!good || !in.done() || !check_group(spec).ok()) {
    return internal_error("the record of a placement group cannot be read");
  }
  return record;
}

}  // namespace sabir::cluster
