#include "runtime/node/cluster/group_wire.h"

#include "runtime/base/overloaded.h"
#include "runtime/node/cluster/read_group.h"
#include "runtime/node/cluster/wire_convert.h"
#include "runtime/rpc/convert.h"

namespace sabir::cluster {
namespace {

using rpc::text_of;
using Wire = schema::GroupMessage;

constexpr size_t kMaxText = kMaxReasonBytes;

std::string cut(const std::string& text) { return text.substr(0, kMaxText); }

// One that may be nil: a bundle without a place, a job without a home.
NodeKey read_maybe(schema::NodeKey::Reader from) {
  Result<NodeKey> key = from.getIncarnation() == 0 ? Result<NodeKey>(NodeKey{}) : read_key(from);
  return key.ok() ? *key : NodeKey{};
}

void write_maybe(const NodeKey& from, schema::NodeKey::Builder to) {
  if (from.incarnation != 0) {
    write_key(from, to);
  }
}

Result<uint32_t> read_index(uint32_t index) {
  return index < kMaxBundles ? Result<uint32_t>(index) : invalid_error("a cluster message with a bundle that is none");
}

Result<std::vector<uint32_t>> read_indices(capnp::List<uint32_t>::Reader from) {
  return read_list<uint32_t>(from, kMaxBundles, "bundles", [](uint32_t index) { return read_index(index); });
}

void write_indices(const std::vector<uint32_t>& from, capnp::List<uint32_t>::Builder to) {
  for (kj::uint i = 0; i < to.size(); ++i) {
    to.set(i, from[i]);
  }
}

Result<GroupMessage> read_prepare(schema::PrepareBundles::Reader from) {
  PrepareBundles message{.epoch = from.getEpoch(), .attempt = from.getAttempt()};
  SABIR_ASSIGN_OR_RETURN(message.node, read_key(from.getNode()));
  SABIR_ASSIGN_OR_RETURN(message.group, read_id<GroupId>(from.getGroup()));
  SABIR_ASSIGN_OR_RETURN(message.bundles,
                         read_list<PrepareBundles::Bundle>(
                             from.getBundles(), kMaxBundles, "bundles", [](auto one) -> Result<PrepareBundles::Bundle> {
                               PrepareBundles::Bundle bundle;
                               SABIR_ASSIGN_OR_RETURN(bundle.index, read_index(one.getIndex()));
                               SABIR_ASSIGN_OR_RETURN(bundle.resources, read_amounts(one.getResources()));
                               return bundle;
                             }));
  return GroupMessage(std::move(message));
}

Result<GroupMessage> read_prepare_answer(schema::PrepareAnswer::Reader from) {
  PrepareAnswer message{.attempt = from.getAttempt(), .prepared = from.getPrepared()};
  SABIR_ASSIGN_OR_RETURN(message.node, read_key(from.getNode()));
  SABIR_ASSIGN_OR_RETURN(message.group, read_id<GroupId>(from.getGroup()));
  SABIR_ASSIGN_OR_RETURN(message.reason, read_text(from.getReason(), kMaxText, "reason"));
  return GroupMessage(std::move(message));
}

Result<GroupMessage> read_commit(schema::CommitBundles::Reader from) {
  CommitBundles message{.epoch = from.getEpoch(), .attempt = from.getAttempt()};
  SABIR_ASSIGN_OR_RETURN(message.node, read_key(from.getNode()));
  SABIR_ASSIGN_OR_RETURN(message.group, read_id<GroupId>(from.getGroup()));
  SABIR_ASSIGN_OR_RETURN(message.bundles, read_indices(from.getBundles()));
  return GroupMessage(std::move(message));
}

Result<GroupMessage> read_commit_answer(schema::CommitAnswer::Reader from) {
  CommitAnswer message{.attempt = from.getAttempt()};
  SABIR_ASSIGN_OR_RETURN(message.node, read_key(from.getNode()));
  SABIR_ASSIGN_OR_RETURN(message.group, read_id<GroupId>(from.getGroup()));
  SABIR_ASSIGN_OR_RETURN(message.committed, read_indices(from.getCommitted()));
  SABIR_ASSIGN_OR_RETURN(message.unknown, read_indices(from.getUnknown()));
  return GroupMessage(std::move(message));
}

Result<std::vector<DropBundles::Bundle>> read_drops(capnp::List<schema::DropBundles::Bundle>::Reader from) {
  return read_list<DropBundles::Bundle>(from, kMaxBundles, "bundles", [](auto one) -> Result<DropBundles::Bundle> {
    DropBundles::Bundle bundle{.up_to_attempt = one.getUpToAttempt()};
    SABIR_ASSIGN_OR_RETURN(bundle.index, read_index(one.getIndex()));
    return bundle;
  });
}

void write_drops(const std::vector<DropBundles::Bundle>& from, capnp::List<schema::DropBundles::Bundle>::Builder to) {
  write_list(from, to, [](const DropBundles::Bundle& one, auto out) {
    out.setIndex(one.index);
    out.setUpToAttempt(one.up_to_attempt);
  });
}

Result<GroupMessage> read_drop(schema::DropBundles::Reader from) {
  DropBundles message{.epoch = from.getEpoch()};
  SABIR_ASSIGN_OR_RETURN(message.node, read_key(from.getNode()));
  SABIR_ASSIGN_OR_RETURN(message.group, read_id<GroupId>(from.getGroup()));
  SABIR_ASSIGN_OR_RETURN(message.bundles, read_drops(from.getBundles()));
  return GroupMessage(std::move(message));
}

Result<GroupMessage> read_drop_answer(schema::DropAnswer::Reader from) {
  DropAnswer message;
  SABIR_ASSIGN_OR_RETURN(message.node, read_key(from.getNode()));
  SABIR_ASSIGN_OR_RETURN(message.group, read_id<GroupId>(from.getGroup()));
  SABIR_ASSIGN_OR_RETURN(message.bundles, read_drops(from.getBundles()));
  return GroupMessage(std::move(message));
}

Result<GroupMessage> read_inventory(schema::BundleInventory::Reader from) {
  BundleInventory message;
  SABIR_ASSIGN_OR_RETURN(message.node, read_key(from.getNode()));
  SABIR_ASSIGN_OR_RETURN(
      message.bundles,
      read_list<BundleInventory::Bundle>(
          from.getBundles(), kMaxInventory, "bundles", [](auto one) -> Result<BundleInventory::Bundle> {
            BundleInventory::Bundle bundle{.attempt = one.getAttempt(), .committed = one.getCommitted()};
            SABIR_ASSIGN_OR_RETURN(bundle.group, read_id<GroupId>(one.getGroup()));
            SABIR_ASSIGN_OR_RETURN(bundle.index, read_index(one.getIndex()));
            return bundle;
          }));
  return GroupMessage(std::move(message));
}

Result<GroupState> read_state(schema::GroupState::Reader from) {
  GroupState state{.infeasible = from.getInfeasible(), .version = from.getVersion()};
  auto stage = static_cast<uint16_t>(from.getStage());
  if (stage > static_cast<uint16_t>(GroupStage::kGone)) {
    return unsupported_error("a cluster message with a word that this release does not know");
  }
  state.stage = static_cast<GroupStage>(stage);
  if (state.stage == GroupStage::kGone) {
    state.infeasible = false;
    SABIR_ASSIGN_OR_RETURN(state.spec.id, read_id<GroupId>(from.getSpec().getId()));
    return state;
  }
  SABIR_ASSIGN_OR_RETURN(state.spec, read_group(rpc::read(from.getSpec())));
  SABIR_ASSIGN_OR_RETURN(state.spec.job, read_id<JobKey>(from.getJob()));
  SABIR_ASSIGN_OR_RETURN(state.reason, read_text(from.getReason(), kMaxText, "reason"));
  if (from.getNodes().size() != state.spec.bundles.size()) {
    return invalid_error("a cluster message with a placement group whose bundles do not go together");
  }
  for (auto node : from.getNodes()) {
    state.nodes.push_back(read_maybe(node));
  }
  return state;
}

void write_state(const GroupState& from, schema::GroupState::Builder to) {
  to.setStage(static_cast<schema::GroupState::Stage>(from.stage));
  to.setVersion(from.version);
  if (from.stage == GroupStage::kGone) {
    to.initSpec().setId(id_data(from.spec.id));
    return;
  }
  rpc::write(words_of(from.spec), to.initSpec());
  to.setJob(id_data(from.spec.job));
  to.setInfeasible(from.infeasible);
  to.setReason(text_of(cut(from.reason)));
  write_list(from.nodes, to.initNodes(count(from.nodes)), write_maybe);
}

Result<GroupMessage> read_request(schema::GroupRequest::Reader from) {
  using Kind = GroupRequest::Kind;
  GroupRequest request{.number = from.getNumber(), .epoch = from.getEpoch()};
  switch (from.which()) {
    case schema::GroupRequest::CREATE: {
      auto create = from.getCreate();
      request.kind = Kind::kCreate;
      SABIR_ASSIGN_OR_RETURN(request.spec, read_group(rpc::read(create.getSpec())));
      SABIR_ASSIGN_OR_RETURN(request.spec.job, read_id<JobKey>(create.getJob()));
      request.spec.home = read_maybe(create.getHome());
      return GroupMessage(std::move(request));
    }
    case schema::GroupRequest::REMOVE: {
      request.kind = Kind::kRemove;
      SABIR_ASSIGN_OR_RETURN(request.group, read_id<GroupId>(from.getRemove()));
      return GroupMessage(std::move(request));
    }
    case schema::GroupRequest::WAIT: {
      request.kind = Kind::kWait;
      SABIR_ASSIGN_OR_RETURN(request.group, read_id<GroupId>(from.getWait()));
      return GroupMessage(std::move(request));
    }
    case schema::GroupRequest::CANCEL_WAIT:
      request.kind = Kind::kCancelWait;
      request.wait_number = from.getCancelWait();
      return GroupMessage(std::move(request));
    case schema::GroupRequest::FIND: {
      auto find = from.getFind();
      request.kind = Kind::kFind;
      if (find.getId().size() != 0) {
        SABIR_ASSIGN_OR_RETURN(request.group, read_id<GroupId>(find.getId()));
      }
      SABIR_ASSIGN_OR_RETURN(request.name, read_text(find.getName(), kMaxNameBytes, "name"));
      SABIR_ASSIGN_OR_RETURN(request.name_space, read_text(find.getNamespace(), kMaxNameBytes, "namespace"));
      return GroupMessage(std::move(request));
    }
    case schema::GroupRequest::END_JOB: {
      request.kind = Kind::kEndJob;
      SABIR_ASSIGN_OR_RETURN(request.job, read_id<JobKey>(from.getEndJob()));
      return GroupMessage(std::move(request));
    }
  }
  return unsupported_error("a request about placement groups that this release does not know");
}

void write_request(const GroupRequest& from, schema::GroupRequest::Builder to) {
  using Kind = GroupRequest::Kind;
  to.setNumber(from.number);
  to.setEpoch(from.epoch);
  switch (from.kind) {
    case Kind::kCreate: {
      auto create = to.initCreate();
      rpc::write(words_of(from.spec), create.initSpec());
      create.setJob(id_data(from.spec.job));
      write_maybe(from.spec.home, create.initHome());
      return;
    }
    case Kind::kRemove:
      to.setRemove(id_data(from.group));
      return;
    case Kind::kWait:
      to.setWait(id_data(from.group));
      return;
    case Kind::kCancelWait:
      to.setCancelWait(from.wait_number);
      return;
    case Kind::kFind: {
      auto find = to.initFind();
      if (!from.group.is_nil()) {
        find.setId(id_data(from.group));
      }
      find.setName(text_of(from.name));
      find.setNamespace(text_of(from.name_space));
      return;
    }
    case Kind::kEndJob:
      to.setEndJob(id_data(from.job));
      return;
  }
}

Result<GroupMessage> read_answer(schema::GroupAnswer::Reader from) {
  GroupAnswer answer{.number = from.getNumber()};
  if (from.getFailure().getStatus() != 0) {
    SABIR_RETURN_IF_ERROR(read_text(from.getFailure().getMessage(), kMaxText, "failure"));
    answer.failure = rpc::error_from(from.getFailure());
  }
  SABIR_ASSIGN_OR_RETURN(answer.groups, read_list<GroupState>(from.getGroups(), kMaxGroupsTold, "placement groups",
                                                              [](auto one) { return read_state(one); }));
  return GroupMessage(std::move(answer));
}

}  // namespace

Result<GroupMessage> read_group_message(Wire::Reader from) {
  switch (from.which()) {
    case Wire::PREPARE:
      return read_prepare(from.getPrepare());
    case Wire::PREPARE_ANSWER:
      return read_prepare_answer(from.getPrepareAnswer());
    case Wire::COMMIT:
      return read_commit(from.getCommit());
    case Wire::COMMIT_ANSWER:
      return read_commit_answer(from.getCommitAnswer());
    case Wire::DROP:
      return read_drop(from.getDrop());
    case Wire::DROP_ANSWER:
      return read_drop_answer(from.getDropAnswer());
    case Wire::INVENTORY:
      return read_inventory(from.getInventory());
    case Wire::REQUEST:
      return read_request(from.getRequest());
    case Wire::ANSWER:
      return read_answer(from.getAnswer());
    case Wire::CHANGED: {
      SABIR_ASSIGN_OR_RETURN(GroupState state, read_state(from.getChanged()));
      return GroupMessage(std::move(state));
    }
  }
  return unsupported_error("a message about placement groups that this release does not know");
}

void write_group_message(const GroupMessage& message, Wire::Builder to) {
  std::visit(Overloaded{
                 [&](const PrepareBundles& from) {
                   auto out = to.initPrepare();
                   out.setEpoch(from.epoch);
                   write_key(from.node, out.initNode());
                   out.setGroup(id_data(from.group));
                   out.setAttempt(from.attempt);
                   write_list(from.bundles, out.initBundles(count(from.bundles)),
                              [](const PrepareBundles::Bundle& one, auto bundle) {
                                bundle.setIndex(one.index);
                                write_amounts(one.resources, bundle.initResources(count(one.resources)));
                              });
                 },
                 [&](const PrepareAnswer& from) {
                   auto out = to.initPrepareAnswer();
                   write_key(from.node, out.initNode());
                   out.setGroup(id_data(from.group));
                   out.setAttempt(from.attempt);
                   out.setPrepared(from.prepared);
                   out.setReason(text_of(cut(from.reason)));
                 },
                 [&](const CommitBundles& from) {
                   auto out = to.initCommit();
                   out.setEpoch(from.epoch);
                   write_key(from.node, out.initNode());
                   out.setGroup(id_data(from.group));
                   out.setAttempt(from.attempt);
                   write_indices(from.bundles, out.initBundles(count(from.bundles)));
                 },
                 [&](const CommitAnswer& from) {
                   auto out = to.initCommitAnswer();
                   write_key(from.node, out.initNode());
                   out.setGroup(id_data(from.group));
                   out.setAttempt(from.attempt);
                   write_indices(from.committed, out.initCommitted(count(from.committed)));
                   write_indices(from.unknown, out.initUnknown(count(from.unknown)));
                 },
                 [&](const DropBundles& from) {
                   auto out = to.initDrop();
                   out.setEpoch(from.epoch);
                   write_key(from.node, out.initNode());
                   out.setGroup(id_data(from.group));
                   write_drops(from.bundles, out.initBundles(count(from.bundles)));
                 },
                 [&](const DropAnswer& from) {
                   auto out = to.initDropAnswer();
                   write_key(from.node, out.initNode());
                   out.setGroup(id_data(from.group));
                   write_drops(from.bundles, out.initBundles(count(from.bundles)));
                 },
                 [&](const BundleInventory& from) {
                   auto out = to.initInventory();
                   write_key(from.node, out.initNode());
                   write_list(from.bundles, out.initBundles(count(from.bundles)),
                              [](const BundleInventory::Bundle& one, auto bundle) {
                                bundle.setGroup(id_data(one.group));
                                bundle.setIndex(one.index);
                                bundle.setAttempt(one.attempt);
                                bundle.setCommitted(one.committed);
                              });
                 },
                 [&](const GroupRequest& from) { write_request(from, to.initRequest()); },
                 [&](const GroupAnswer& from) {
                   auto out = to.initAnswer();
                   out.setNumber(from.number);
                   if (from.failure) {
                     rpc::write(Error(from.failure->kind(), cut(from.failure->message())), out.initFailure());
                   }
                   write_list(from.groups, out.initGroups(count(from.groups)), write_state);
                 },
                 [&](const GroupState& from) { write_state(from, to.initChanged()); },
             },
             message);
}

}  // namespace sabir::cluster
