#include "tests/build_rules/echo.h"

#include <capnp/rpc-twoparty.h>
#include <kj/async-io.h>

#include "tests/build_rules/echo.capnp.h"

namespace sabir::build_rules {
namespace {

class EchoServer final : public Echo::Server {
 protected:
  kj::Promise<void> say(SayContext context) override {
    context.getResults().setText(context.getParams().getText());
    return kj::READY_NOW;
  }
};

}  // namespace

bool echo_round_trip() {
  kj::AsyncIoContext io = kj::setupAsyncIo();
  kj::TwoWayPipe pipe = io.provider->newTwoWayPipe();
  capnp::TwoPartyServer server(kj::heap<EchoServer>());
  server.accept(kj::mv(pipe.ends[0]));
  capnp::TwoPartyClient client(*pipe.ends[1]);
  auto request = client.bootstrap().castAs<Echo>().sayRequest();
  request.setText("hello");
  auto response = request.send().wait(io.waitScope);
  return response.getText() == "hello";
}

}  // namespace sabir::build_rules
