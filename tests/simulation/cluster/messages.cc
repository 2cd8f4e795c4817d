#include "tests/simulation/cluster/messages.h"

namespace sabir::simulation {
namespace {

using namespace cluster;

constexpr size_t kEnvelopeBytes = 64;  // of an RPC message: id, interface, method, incarnations

size_t amounts_bytes(const Amounts& amounts) { return 8 + 32 * amounts.size(); }

struct Size {
  size_t operator()(const Heartbeat&) const { return 0; }
  size_t operator()(const HeartbeatAnswer&) const { return 16; }
  size_t operator()(const Subscribe&) const { return 16; }
  size_t operator()(const NodeReport& report) const { return encoded_size_bytes(report); }
  size_t operator()(const ReportReply&) const { return 16; }
  size_t operator()(const BatchPtr& batch) const { return encoded_size_bytes(*batch); }
  size_t operator()(const ViewPosition&) const { return 16; }
  size_t operator()(const WantGroup&) const { return 16; }
  size_t operator()(const GroupPlaces& places) const { return 32 + 64 * places.bundles.size(); }
  size_t operator()(const PrepareBundles& message) const {
    size_t size = 40;
    for (const auto& bundle : message.bundles) {
      size += 8 + amounts_bytes(bundle.resources);
    }
    return size;
  }
  size_t operator()(const PrepareAnswer& answer) const { return 40 + answer.reason.size() + of(answer.report); }
  size_t operator()(const CommitBundles& message) const { return 40 + 4 * message.bundles.size(); }
  size_t operator()(const CommitAnswer& answer) const { return 48 + 4 * answer.committed.size(); }
  size_t operator()(const DropBundles& message) const { return 32 + 16 * message.bundles.size(); }
  size_t operator()(const DropAnswer& answer) const { return 32 + 16 * answer.bundles.size() + of(answer.report); }
  size_t operator()(const BundleInventory& inventory) const { return 16 + 32 * inventory.bundles.size(); }
  size_t operator()(const LeaseRequest& request) const { return 88 + amounts_bytes(request.what.resources); }
  size_t operator()(const LeaseAnswer& answer) const { return 40 + answer.reason.size() + of(answer.report); }
  size_t operator()(const LeaseStatus& status) const { return 32 + 16 * status.open.size(); }
  size_t operator()(const LeaseStatusAnswer& answer) const { return 32 + 16 * answer.held.size(); }
  size_t operator()(const LeaseRecall&) const { return 16; }
  size_t operator()(const RunCall&) const { return 128; }
  size_t operator()(const CallEnded&) const { return 64; }

  static size_t of(const std::optional<NodeReport>& report) { return report ? encoded_size_bytes(*report) : 0; }
};

}  // namespace

size_t size_bytes(const Message& message) { return kEnvelopeBytes + std::visit(Size(), message); }

bool names_its_receiver(const Message& message) {
  return std::visit(
      [](const auto& what) {
        constexpr bool kOfAGroup = requires { what.epoch, what.node, what.group; };
        constexpr bool kOfALease = requires { what.client, what.server; };
        return kOfAGroup || kOfALease;
      },
      message);
}

const char* kind_of(const Message& message) {
  static constexpr const char* kNames[] = {"heartbeat",      "heartbeat answer",
                                           "subscribe",      "report",
                                           "report answer",  "view batch",
                                           "view position",  "want group",
                                           "group places",   "prepare",
                                           "prepare answer", "commit",
                                           "commit answer",  "drop",
                                           "drop answer",    "inventory",
                                           "lease request",  "lease answer",
                                           "lease status",   "lease status answer",
                                           "lease recall",   "call",
                                           "call ended"};
  static_assert(std::size(kNames) == std::variant_size_v<Message>);
  return kNames[message.index()];
}

}  // namespace sabir::simulation
