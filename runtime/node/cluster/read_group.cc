#include "runtime/node/cluster/read_group.h"

#include <optional>

namespace sabir::cluster {

Result<GroupSpec> read_group(const rpc::GroupSpec& words) {
  GroupSpec spec;
  std::optional<IdBits> id = IdBits::from_bytes(words.id);
  if (!id) {
    return invalid_error("the id of a placement group has 16 bytes, not " + std::to_string(words.id.size()));
  }
  if (words.strategy > rpc::kLastGroupStrategy) {
    return unsupported_error("this node does not know that strategy of placement groups: its release is older");
  }
  if (words.bundles.size() > kMaxBundles) {
    return invalid_error("a placement group has at most " + std::to_string(kMaxBundles) + " bundles");
  }
  spec.id = GroupId(*id);
  spec.name = words.name;
  spec.name_space = words.name_space;
  spec.detached = words.detached;
  spec.strategy = static_cast<GroupStrategy>(words.strategy);
  for (const rpc::GroupBundle& bundle : words.bundles) {
    BundleSpec& to = spec.bundles.emplace_back();
    for (const rpc::ResourceAmount& amount : bundle.resources) {
      to.resources.push_back({amount.name, amount.units});
    }
    for (const LabelCondition& condition : bundle.labels) {
      SABIR_ASSIGN_OR_RETURN(LabelTerm term, parse_label_term(condition.key, condition.text));
      to.selector.push_back(std::move(term));
    }
  }
  SABIR_RETURN_IF_ERROR(check_group(spec));
  return spec;
}

rpc::GroupSpec words_of(const GroupSpec& spec) {
  rpc::GroupSpec words;
  words.id = spec.id.bits().view();
  words.name = spec.name;
  words.name_space = spec.name_space;
  words.detached = spec.detached;
  words.strategy = static_cast<uint8_t>(spec.strategy);
  for (const BundleSpec& bundle : spec.bundles) {
    rpc::GroupBundle& to = words.bundles.emplace_back();
    for (const ResourceRequest& amount : bundle.resources) {
      to.resources.push_back({amount.name, amount.units});
    }
    for (const LabelTerm& term : bundle.selector) {
      to.labels.push_back({term.key, label_text(term)});
    }
  }
  return words;
}

}  // namespace sabir::cluster
