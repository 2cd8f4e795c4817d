#include "runtime/rpc/control_messages.h"

#include <capnp/message.h>

#include "runtime/base/overloaded.h"
#include "runtime/rpc/convert.h"
#include "runtime/rpc/frame_codec.h"
#include "schema/control.capnp.h"

namespace sabir::rpc {
namespace {

constexpr FrameLimits kLimits{64 << 20, 16, 512};

template <typename Reader>
NodeWords read_words(Reader from) {
  return {{to_string(from.getNode().getId()), from.getNode().getIncarnation()}, to_string(from.getBytes())};
}

template <typename Builder>
void write_words(const NodeWords& from, Builder to) {
  to.initNode().setId(data_of(from.node.id));
  to.getNode().setIncarnation(from.node.incarnation);
  to.setBytes(data_of(from.bytes));
}

Result<ToControl> read_to(schema::ToControl::Reader from) {
  switch (from.which()) {
    case schema::ToControl::START: {
      auto start = from.getStart();
      return ToControl(StartControl{to_string(start.getDirectory()), start.getDurable(),
                                    to_string(start.getClusterId()), to_string(start.getHeadId()),
                                    start.getDeadAfterNs(), start.getMustExist()});
    }
    case schema::ToControl::JOIN_REQUEST: {
      auto request = from.getJoinRequest();
      return ToControl(JoinRequest{request.getNumber(), to_string(request.getBytes()),
                                   to_string(request.getFingerprint()), to_string(request.getHost())});
    }
    case schema::ToControl::MESSAGE:
      return ToControl(read_words(from.getMessage()));
  }
  return invalid_error("a message to the control store of an unknown kind");
}

Result<FromControl> read_from(schema::FromControl::Reader from) {
  switch (from.which()) {
    case schema::FromControl::READY:
      return FromControl(ControlReady{from.getReady()});
    case schema::FromControl::FAILED:
      return FromControl(ControlFailed{to_string(from.getFailed().getWhy()), from.getFailed().getFinal(),
                                       from.getFailed().getFenced()});
    case schema::FromControl::JOIN_ANSWER:
      return FromControl(JoinAnswer{from.getJoinAnswer().getNumber(), to_string(from.getJoinAnswer().getBytes())});
    case schema::FromControl::MESSAGE:
      return FromControl(read_words(from.getMessage()));
  }
  return invalid_error("a message from the control store of an unknown kind");
}

}  // namespace

std::string encode(const ToControl& message) {
  capnp::MallocMessageBuilder builder;
  auto to = builder.initRoot<schema::ToControl>();
  std::visit(Overloaded{[&](const StartControl& start) {
                          auto out = to.initStart();
                          out.setDirectory(text_of(start.directory));
                          out.setDurable(start.durable);
                          out.setClusterId(data_of(start.cluster_id));
                          out.setHeadId(data_of(start.head_id));
                          out.setDeadAfterNs(start.dead_after_ns);
                          out.setMustExist(start.must_exist);
                        },
                        [&](const JoinRequest& request) {
                          auto out = to.initJoinRequest();
                          out.setNumber(request.number);
                          out.setBytes(data_of(request.bytes));
                          out.setFingerprint(data_of(request.fingerprint));
                          out.setHost(text_of(request.host));
                        },
                        [&](const NodeWords& words) { write_words(words, to.initMessage()); }},
             message);
  return frame_of(builder);
}

std::string encode(const FromControl& message) {
  capnp::MallocMessageBuilder builder;
  auto to = builder.initRoot<schema::FromControl>();
  std::visit(Overloaded{[&](const ControlReady& ready) { to.setReady(ready.epoch); },
                        [&](const ControlFailed& failed) {
                          to.initFailed().setWhy(text_of(failed.why));
                          to.getFailed().setFinal(failed.is_final);
                          to.getFailed().setFenced(failed.fenced);
                        },
                        [&](const JoinAnswer& answer) {
                          to.initJoinAnswer().setNumber(answer.number);
                          to.getJoinAnswer().setBytes(data_of(answer.bytes));
                        },
                        [&](const NodeWords& words) { write_words(words, to.initMessage()); }},
             message);
  return frame_of(builder);
}

Result<ToControl> decode_to_control(std::string_view bytes) {
  return decode_frame<schema::ToControl, ToControl>(bytes, "a message to the control store", kLimits,
                                                    [](auto root) { return read_to(root); });
}

Result<FromControl> decode_from_control(std::string_view bytes) {
  return decode_frame<schema::FromControl, FromControl>(bytes, "a message from the control store", kLimits,
                                                        [](auto root) { return read_from(root); });
}

}  // namespace sabir::rpc
