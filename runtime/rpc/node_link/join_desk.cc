#include "runtime/rpc/node_link/join_desk.h"

#include <kj/debug.h>

#include "runtime/rpc/convert.h"
#include "schema/gateway.capnp.h"

namespace sabir::node_link {
namespace {

class Desk final : public schema::JoinDesk::Server {
 public:
  explicit Desk(std::function<kj::Promise<std::string>(std::string)> ask) : ask_(std::move(ask)) {}

  kj::Promise<void> join(JoinContext call) override {
    return ask_(rpc::to_string(call.getParams().getRequest())).then([call](const std::string& answer) mutable {
      call.getResults().setAnswer(rpc::data_of(answer));
    });
  }

 private:
  std::function<kj::Promise<std::string>(std::string)> ask_;
};

}  // namespace

capnp::Capability::Client make_join_desk(std::function<kj::Promise<std::string>(std::string request)> ask) {
  return kj::heap<Desk>(std::move(ask));
}

capnp::Capability::Client no_service(const char* why) { return KJ_EXCEPTION(UNIMPLEMENTED, why); }

void join_cluster(NodeLinks& links, const JoinString& head, std::string request,
                  std::function<void(std::string answer)> joined, std::function<void(const std::string& why)> failed) {
  links.join(head)
      .then([request = std::move(request)](NodeLinks::Joined&& at_head) {
        auto ask = at_head.service.castAs<schema::JoinDesk>().joinRequest();
        ask.setRequest(rpc::data_of(request));
        return ask.send().attach(kj::mv(at_head.service));
      })
      .then([joined = std::move(joined)](auto&& response) { joined(rpc::to_string(response.getAnswer())); })
      .detach([&links, failed = std::move(failed)](kj::Exception&& exception) {
        const Failure& typed = links.last_join_failure();
        failed(typed.refusal != Refusal::kNone ? typed.error().message() : exception.getDescription().cStr());
      });
}

}  // namespace sabir::node_link
