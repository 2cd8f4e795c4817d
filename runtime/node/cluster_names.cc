// Requests to the control store: names of actors, jobs, and what else is asked there.
#include <utility>

#include "runtime/node/cluster_agent.h"

namespace sabir::node {

namespace {

// A control store that dies is there again long before; who waits for the answer has a deadline of his own, a longer
// one.
constexpr int64_t kPatienceNs = 20 * kSecondNs;
// Nobody waits for it, but the name stays taken until it is done.
constexpr int64_t kFreePatienceNs = 300 * kSecondNs;

}  // namespace

void ClusterAgent::ask(cluster::ControlQuestion what, cluster::ControlClient::Answered answered) {
  if (!member_) {
    answered(disconnected_error("this node has not joined its cluster yet"));
    return;
  }
  auto* name = std::get_if<cluster::NameRequest>(&what);
  bool frees = name != nullptr && name->kind == cluster::NameRequest::Kind::kFree;
  requests_.ask(std::move(what), frees ? kFreePatienceNs : kPatienceNs, std::move(answered));
  ask_control();
  wake();
}

void ClusterAgent::job_started(cluster::ClusterJob job) {
  jobs_.started(std::move(job));
  wake();
}

void ClusterAgent::job_ended(const std::string& id, const std::string& how) {
  jobs_.ended(id, how);
  wake();
}

void ClusterAgent::list_jobs(int64_t patience_ns,
                             std::function<void(Result<std::vector<cluster::ClusterJob>>)> answered) {
  if (!member_) {
    return answered(disconnected_error("this node has not joined its cluster yet"));
  }
  auto take = [answered = std::move(answered)](Result<cluster::ControlResult> result) {
    auto* list = result.ok() ? std::get_if<cluster::JobList>(&*result) : nullptr;
    if (list != nullptr) {
      answered(std::move(list->jobs));
    } else {
      answered(result.ok() ? internal_error("an answer to another question") : result.error());
    }
  };
  requests_.ask(cluster::ListJobs{}, patience_ns, std::move(take));
  ask_control();
  wake();
}

void ClusterAgent::ask_control() {
  for (const cluster::ControlRequest& request : requests_.due(epoch_)) {
    send_to_control(request);
  }
}

void ClusterAgent::take_name(const cluster::ActorName& name, const cluster::NamedActor& actor, NameAnswered answered) {
  ask_name({cluster::NameRequest::Kind::kTake, name, actor}, std::move(answered));
}

void ClusterAgent::find_name(const cluster::ActorName& name, NameAnswered answered) {
  ask_name({cluster::NameRequest::Kind::kFind, name, {}}, std::move(answered));
}

void ClusterAgent::free_name(const cluster::ActorName& name, const cluster::NamedActor& actor) {
  cluster::NamedActor who = actor;
  who.class_info.clear();  // its id counts
  ask(cluster::NameRequest{cluster::NameRequest::Kind::kFree, name, who},
      [this, name, who](const Result<cluster::ControlResult>& result) {
        if (!result.ok()) {
          names_to_free_.emplace_back(name, who);
        }
      });
}

// A full disk, say, has refused it: the name would stay taken for as long as this node lives.
void ClusterAgent::free_names_again() {
  if (names_to_free_.empty() || clock_.now_ns() - freed_again_ns_ < kSecondNs) {
    return;
  }
  freed_again_ns_ = clock_.now_ns();
  for (const auto& [name, actor] : std::exchange(names_to_free_, {})) {
    free_name(name, actor);
  }
}

void ClusterAgent::ask_name(cluster::NameRequest request, NameAnswered answered) {
  ask(std::move(request), [answered = std::move(answered)](Result<cluster::ControlResult> result) {
    if (!result.ok()) {
      answered(std::move(result).error());
    } else if (auto* actor = std::get_if<cluster::NamedActor>(&*result)) {
      answered(std::move(*actor));
    } else {
      answered(internal_error("the control store answered something else"));
    }
  });
}

}  // namespace sabir::node
