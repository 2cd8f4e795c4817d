#include "tests/simulation/node/world.h"

#include <algorithm>

#include "runtime/base/check.h"
#include "tests/simulation/node/world_parts.h"

namespace sabir::simulation {

using namespace node;

World::World(uint64_t seed, WorldOptions options) : engine_(seed), options_(std::move(options)), control_(&storage_) {
  coordinator_ = std::make_unique<Coordinator>(*NodeResources::create(options_.resources), options_.coordinator,
                                               &control_, &clock_);
}

World::~World() = default;

// --- Time

void World::at(int64_t delay_ns, std::function<void()> what) {
  events_.push({clock_.now_ns() + delay_ns, next_order_++, std::move(what)});
}

void World::later(Process& process, int64_t delay_ns, void (World::*what)(Process&)) {
  at(delay_ns, [this, slot = process.slot, incarnation = process.incarnation, step = process.step, what] {
    auto found = processes_.find(slot);
    if (found != processes_.end() && found->second->incarnation == incarnation && found->second->step == step) {
      (this->*what)(*found->second);
    }
  });
}

void World::run_for(int64_t duration_ns) {
  int64_t end_ns = clock_.now_ns() + duration_ns;
  while (!events_.empty() && events_.top().at_ns <= end_ns) {
    Event event = events_.top();
    events_.pop();
    clock_.advance_ns(event.at_ns - clock_.now_ns());
    event.what();
  }
  clock_.advance_ns(end_ns - clock_.now_ns());
}

bool World::run_until_quiet(int64_t limit_ns) {
  int64_t end_ns = clock_.now_ns() + limit_ns;
  while (open_calls_ > 0 && clock_.now_ns() < end_ns && !events_.empty()) {
    Event event = events_.top();
    events_.pop();
    clock_.advance_ns(event.at_ns - clock_.now_ns());
    event.what();
  }
  return open_calls_ == 0;
}

// --- sabird

void World::ring() { ring_at(clock_.now_ns() + latency()); }

void World::ring_at(std::optional<int64_t> wake_ns) {
  int64_t when_ns = std::max(wake_ns.value_or(INT64_MAX), clock_.now_ns() + 10 * kUs);
  if (wake_ns && (!next_look_ns_ || *next_look_ns_ > when_ns)) {
    next_look_ns_ = when_ns;
    at(when_ns - clock_.now_ns(), [this, when_ns] {
      if (next_look_ns_ == when_ns) {
        next_look_ns_.reset();
        look();
      }
    });
  }
}

void World::look() {
  looks += 1;
  for (const auto& [index, queue] : queues_) {
    coordinator_->observe_queue(index, queue->calls.size());
  }
  for (const auto& [slot, process] : processes_) {
    coordinator_->observe_worker(slot, process->page);
  }
  act();
  most_processes = std::max(most_processes, process_count());
  watching_ = coordinator_->busy();
  if (watching_) {
    ring_at(clock_.now_ns() + 5 * kMs);
  }
}

void World::act() {
  for (Instruction& instruction : coordinator_->take()) {
    carry_out(instruction);
  }
  check();
  ring_at(coordinator_->next_wake_ns());
}

size_t World::process_count() const {
  size_t count = launches_.size();
  for (const auto& [slot, process] : processes_) {
    count += process->driver ? 0 : 1;
  }
  return count;
}

// What must be true at any moment, by what the processes really do.
void World::check() {
  coordinator_->scheduler().check_invariants();
  const NodeResources& resources = coordinator_->scheduler().resources();
  ResourceSet drawing;
  std::vector<Units> gpus(kMaxGpus);
  auto use_gpus = [&](uint64_t mask, const ResourceSet& set) {
    for (uint32_t i = 0; i < kMaxGpus; ++i) {
      if ((mask >> i & 1) != 0) {
        gpus[i] += std::min(set.get(kGpu), kUnit);
        SABIR_CHECK(gpus[i] <= kUnit, "GPU ", i, " is used twice");
      }
    }
  };
  std::map<ClassIndex, const ResourceSet*> sets;
  std::map<ClassIndex, JobNumber> jobs;
  auto classes = coordinator_->scheduler().classes();
  for (const auto& what : classes) {
    sets[what.class_index] = what.resources;
    jobs[what.class_index] = what.job;
  }
  for (const auto& [slot, process] : processes_) {
    if (!process->lease_class || process->page.lease_epoch_done == process->epoch) {
      continue;
    }
    const ResourceSet& set = *sets.at(*process->lease_class);
    SABIR_CHECK(jobs.at(*process->lease_class) == process->job, "L1");
    use_gpus(process->gpu_mask, set);
    for (const auto& amount : set) {
      // S1, S6: its CPU is its own until it blocks; everything else is, until the lease is over.
      if (amount.id != kCpu || !process->blocked_in_lease) {
        drawing.set(amount.id, drawing.get(amount.id) + amount.units);
      }
    }
  }
  for (const Actors::View& actor : coordinator_->actors().views()) {
    if (actor.slot) {
      use_gpus(actor.gpu_mask, *actor.resources);
      add_to(drawing, *actor.resources);
    }
  }
  for (const auto& amount : drawing) {
    SABIR_CHECK(amount.units <= resources.total(amount.id), resources.name(amount.id));
  }
  SABIR_CHECK(process_count() <= options_.coordinator.pool.max_processes, "W1");
}

void World::expect_nothing_left() {
  const NodeResources& resources = coordinator_->scheduler().resources();
  for (size_t id = 0; id < resources.name_count(); ++id) {
    auto resource = static_cast<ResourceId>(id);
    SABIR_CHECK(resources.free(resource) == resources.total(resource), resources.name(resource));
  }
  SABIR_CHECK(coordinator_->scheduler().classes().empty());
  SABIR_CHECK(coordinator_->pool().process_count() == 0);
  SABIR_CHECK(!coordinator_->busy());
  SABIR_CHECK(processes_.empty() && queues_.empty());
  for (const auto& [actor, held] : args_held) {
    SABIR_CHECK(held == 0, "actor ", actor);
  }
}

std::string World::describe() const {
  std::string text = "now " + std::to_string(clock_.now_ns() / kMs) + " ms, open calls " + std::to_string(open_calls_) +
                     ", launches " + std::to_string(launches_.size()) + "\n";
  for (const auto& what : coordinator_->scheduler().classes()) {
    text += "class " + std::to_string(what.class_index) + " job " + std::to_string(what.job) + " waiting " +
            std::to_string(what.waiting) + " leases " + std::to_string(what.leases) + " " +
            coordinator_->scheduler().resources().describe(*what.resources) + "\n";
  }
  for (const auto& [slot, process] : processes_) {
    auto lease = coordinator_->scheduler().lease(slot);
    text += "slot " + std::to_string(slot) + (process->driver ? " driver" : " worker") + " job " +
            std::to_string(process->job) + " epoch " + std::to_string(process->epoch) + " done " +
            std::to_string(process->page.lease_epoch_done) + (process->page.running ? " running" : "") +
            (process->page.blocked % 2 != 0 ? " blocked" : "") +
            (lease.class_index ? " lease " + std::to_string(*lease.class_index) : "") +
            (lease.withdrawn ? " withdrawn" : "") + "\n";
  }
  return text + "free CPU " + format_units(coordinator_->scheduler().resources().free(kCpu)) + "\n";
}

}  // namespace sabir::simulation
