// Questions to the head about the names of actors.
#include <utility>

#include "runtime/node/cluster_agent.h"

namespace sabir::node {

namespace {

constexpr int64_t kQuestionNs = 10 * kSecondNs;
constexpr size_t kMaxQuestions = 4096;

}  // namespace

void ClusterAgent::take_name(const cluster::ActorName& name, const cluster::NamedActor& actor, NameAnswered answered) {
  ask_name({.kind = cluster::NameRequest::Kind::kTake, .name = name, .actor = actor}, std::move(answered));
}

void ClusterAgent::find_name(const cluster::ActorName& name, NameAnswered answered) {
  ask_name({.kind = cluster::NameRequest::Kind::kFind, .name = name}, std::move(answered));
}

void ClusterAgent::free_name(const cluster::ActorName& name, const cluster::NamedActor& actor) {
  ask_name({.kind = cluster::NameRequest::Kind::kFree, .name = name, .actor = actor}, nullptr);
}

void ClusterAgent::ask_name(cluster::NameRequest request, NameAnswered answered) {
  bool wants_answer = answered != nullptr;
  if (hub_) {
    Result<cluster::NamedActor> decided = decide_name(request);
    if (wants_answer) {
      answered(std::move(decided));
    }
    return;
  }
  if (!member_ || (wants_answer && questions_.size() >= kMaxQuestions)) {
    if (wants_answer) {
      answered(member_ ? exhausted_error("too many questions wait for the head's answers")
                       : disconnected_error("this node has not joined its cluster yet"));
    }
    return;
  }
  request.number = next_question_++;
  if (wants_answer) {
    questions_[request.number] = {std::move(answered), clock_.now_ns() + kQuestionNs};
  }
  send(*head_, request);
  wake();
}

Result<cluster::NamedActor> ClusterAgent::decide_name(const cluster::NameRequest& request) {
  switch (request.kind) {
    case cluster::NameRequest::Kind::kTake:
      return names_.take(request.name, *request.actor);
    case cluster::NameRequest::Kind::kFree:
      names_.free(request.name, request.actor->actor_id);
      return *request.actor;
    case cluster::NameRequest::Kind::kFind:
      break;
  }
  return names_.find(request.name);
}

void ClusterAgent::on_name_answer(const cluster::NameAnswer& answer) {
  auto question = questions_.extract(answer.number);
  if (question.empty()) {
    return;
  }
  if (answer.failure) {
    question.mapped().answered(*answer.failure);
  } else {
    question.mapped().answered(*answer.actor);
  }
}

void ClusterAgent::expire_names() {
  while (!questions_.empty() && questions_.begin()->second.deadline_ns <= clock_.now_ns()) {
    auto question = questions_.extract(questions_.begin());
    question.mapped().answered(timeout_error("the head of the cluster did not say who has the name"));
  }
}

}  // namespace sabir::node
