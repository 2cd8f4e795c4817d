#include "runtime/node/cluster/wire_convert.h"

#include <algorithm>
#include <memory>

#include "runtime/rpc/convert.h"

namespace sabir::cluster {
namespace {

using rpc::data_of;
using rpc::text_of;

Result<MemberInfo> read_member(schema::ClusterMember::Reader from) {
  MemberInfo member;
  SABIR_ASSIGN_OR_RETURN(member.node, read_key(from.getKey()));
  SABIR_ASSIGN_OR_RETURN(member.host, read_text(from.getAddress().getHost(), kMaxHostBytes, "host"));
  member.port = from.getAddress().getPort();
  capnp::Data::Reader fingerprint = from.getAddress().getFingerprint();
  if (fingerprint.size() != 0 && fingerprint.size() != kFingerprintBytes) {
    return invalid_error("a cluster message with a fingerprint that is none");
  }
  member.fingerprint = rpc::to_string(fingerprint);
  member.dead = from.getDead();
  SABIR_ASSIGN_OR_RETURN(member.name, read_text(from.getName(), kMaxNodeNameBytes, "name"));
  member.draining = from.getDraining();
  member.drain_left_ns = from.getDrainLeftNs();
  if (member.drain_left_ns < -1) {
    return invalid_error("a cluster message with a time below zero");
  }
  return member;
}

Result<std::shared_ptr<const NodeStatics>> read_statics(uint64_t version, schema::NodeReport::Statics::Reader from) {
  auto statics = std::make_shared<NodeStatics>();
  statics->version = version;
  SABIR_ASSIGN_OR_RETURN(statics->total, read_amounts(from.getTotal()));
  if (from.getLabels().size() > kMaxLabels) {
    return invalid_error("a cluster message with too many labels");
  }
  for (auto label : from.getLabels()) {
    SABIR_ASSIGN_OR_RETURN(std::string key, read_text(label.getKey(), kMaxLabelBytes, "label"));
    SABIR_ASSIGN_OR_RETURN(std::string value, read_text(label.getValue(), kMaxLabelBytes, "label"));
    if (!statics->labels.emplace(std::move(key), std::move(value)).second) {
      return invalid_error("a cluster message with a label that is given twice");
    }
  }
  return std::shared_ptr<const NodeStatics>(std::move(statics));
}

void write_statics(const NodeStatics& from, schema::NodeReport::Statics::Builder to) {
  write_amounts(from.total, to.initTotal(count(from.total)));
  auto labels = to.initLabels(static_cast<kj::uint>(from.labels.size()));
  kj::uint i = 0;
  for (const auto& [key, value] : from.labels) {
    labels[i].setKey(text_of(key));
    labels[i++].setValue(text_of(value));
  }
}

Result<DemandShape> read_demand(schema::NodeReport::Demand::Reader from) {
  DemandShape shape;
  SABIR_ASSIGN_OR_RETURN(shape.resources, read_amounts(from.getResources()));
  shape.waiting = from.getWaiting();
  shape.infeasible = from.getInfeasible();
  SABIR_ASSIGN_OR_RETURN(shape.reason, read_text(from.getReason(), kMaxReasonBytes, "reason"));
  return shape;
}

void write_demand(const DemandShape& from, schema::NodeReport::Demand::Builder to) {
  write_amounts(from.resources, to.initResources(count(from.resources)));
  to.setWaiting(from.waiting);
  to.setInfeasible(from.infeasible);
  to.setReason(text_of(from.reason));
}

Result<std::vector<Units>> read_units(capnp::List<int64_t>::Reader from, size_t max) {
  return read_list<Units>(from, max, "amounts", [](int64_t units) { return Result<Units>(units); });
}

void write_units(const std::vector<Units>& from, capnp::List<int64_t>::Builder to) {
  for (kj::uint i = 0; i < to.size(); ++i) {
    to.set(i, from[i]);
  }
}

}  // namespace

Result<std::string> read_text(capnp::Text::Reader from, size_t max_bytes, const char* what) {
  if (from.size() > max_bytes) {
    return invalid_error(std::string("a cluster message with too long a ") + what);
  }
  return rpc::to_string(from);
}

Result<NodeKey> read_key(schema::NodeKey::Reader from) {
  SABIR_ASSIGN_OR_RETURN(NodeId id, read_id<NodeId>(from.getId()));
  if (from.getIncarnation() == 0) {
    return invalid_error("a cluster message that names a node without an incarnation");
  }
  return NodeKey{id, from.getIncarnation()};
}

void write_key(const NodeKey& from, schema::NodeKey::Builder to) {
  to.setId(id_data(from.id));
  to.setIncarnation(from.incarnation);
}

Result<std::vector<MemberInfo>> read_members(capnp::List<schema::ClusterMember>::Reader from) {
  return read_list<MemberInfo>(from, kMaxClusterNodes, "members", read_member);
}

void write_members(const std::vector<MemberInfo>& from, capnp::List<schema::ClusterMember>::Builder to) {
  write_list(from, to, [](const MemberInfo& member, schema::ClusterMember::Builder out) {
    write_key(member.node, out.initKey());
    auto address = out.initAddress();
    address.setHost(text_of(member.host));
    address.setPort(member.port);
    address.setFingerprint(data_of(member.fingerprint));
    out.setDead(member.dead);
    out.setName(text_of(member.name.substr(0, kMaxNodeNameBytes)));
    out.setDraining(member.draining);
    out.setDrainLeftNs(member.drain_left_ns);
  });
}

Result<Amounts> read_amounts(capnp::List<schema::Resource>::Reader from) {
  return read_list<ResourceRequest>(from, node::kMaxResourcesPerRequest, "resources", [](schema::Resource::Reader one) {
    return Result<ResourceRequest>({rpc::to_string(one.getName()), one.getUnits()});
  });
}

void write_amounts(const Amounts& from, capnp::List<schema::Resource>::Builder to) {
  write_list(from, to, [](const ResourceRequest& amount, schema::Resource::Builder out) {
    out.setName(text_of(amount.name));
    out.setUnits(amount.units);
  });
}

Result<NodeReport> read_report(schema::NodeReport::Reader from) {
  NodeReport report;
  SABIR_ASSIGN_OR_RETURN(report.node, read_key(from.getNode()));
  report.version = from.getVersion();
  report.statics_version = from.getStaticsVersion();
  if (from.hasStatics()) {
    SABIR_ASSIGN_OR_RETURN(report.statics, read_statics(report.statics_version, from.getStatics()));
  }
  SABIR_ASSIGN_OR_RETURN(report.available, read_units(from.getAvailable(), node::kMaxResourcesPerRequest));
  SABIR_ASSIGN_OR_RETURN(report.gpu_free, read_units(from.getGpuFree(), node::kMaxGpus));
  report.draining = from.getDraining();
  report.waiting = from.getWaiting();
  SABIR_ASSIGN_OR_RETURN(report.demand,
                         read_list<DemandShape>(from.getDemand(), kMaxDemandShapes, "kinds of demand", read_demand));
  report.store_used_bytes = from.getStoreUsedBytes();
  report.store_capacity_bytes = from.getStoreCapacityBytes();
  SABIR_RETURN_IF_ERROR(check_report(report));
  return report;
}

void write_report(const NodeReport& from, schema::NodeReport::Builder to) {
  write_key(from.node, to.initNode());
  to.setVersion(from.version);
  to.setStaticsVersion(from.statics_version);
  if (from.statics != nullptr) {
    write_statics(*from.statics, to.initStatics());
  }
  write_units(from.available, to.initAvailable(count(from.available)));
  write_units(from.gpu_free, to.initGpuFree(count(from.gpu_free)));
  to.setDraining(from.draining);
  to.setWaiting(from.waiting);
  write_list(from.demand, to.initDemand(count(from.demand)), write_demand);
  to.setStoreUsedBytes(from.store_used_bytes);
  to.setStoreCapacityBytes(from.store_capacity_bytes);
}

Result<ViewBatch> read_batch(schema::ViewBatch::Reader from) {
  ViewBatch batch;
  batch.epoch = from.getEpoch();
  batch.from = from.getFrom();
  batch.to = from.getTo();
  if (batch.from > batch.to) {
    return invalid_error("a view batch that goes backwards");
  }
  if (from.hasMembers()) {
    SABIR_ASSIGN_OR_RETURN(batch.members, read_list<NodeKey>(from.getMembers(), kMaxClusterNodes, "members", read_key));
  }
  SABIR_ASSIGN_OR_RETURN(batch.reports,
                         read_list<NodeReport>(from.getReports(), kMaxClusterNodes, "reports", read_report));
  SABIR_ASSIGN_OR_RETURN(batch.gone, read_list<NodeKey>(from.getGone(), kMaxClusterNodes, "departures", read_key));
  return batch;
}

void write_batch(const ViewBatch& from, schema::ViewBatch::Builder to) {
  to.setEpoch(from.epoch);
  to.setFrom(from.from);
  to.setTo(from.to);
  if (from.members) {
    write_list(*from.members, to.initMembers(count(*from.members)), write_key);
  }
  write_list(from.reports, to.initReports(count(from.reports)), write_report);
  write_list(from.gone, to.initGone(count(from.gone)), write_key);
}

}  // namespace sabir::cluster
