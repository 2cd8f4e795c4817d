// The launcher's zygotes: a bare one that serves at once, a warm one that takes over, and what happens when they end.
#include "runtime/node/launcher.h"

namespace sabir::node {

Result<std::unique_ptr<Zygote>> Launcher::start_zygote(Nursery& nursery, SourceId& source) {
  SABIR_ASSIGN_OR_RETURN(Logs::WriteEnds ends, logs_.open_source());
  SpawnRequest request;
  request.argv = nursery.environment.argv;
  request.environment = {{"SABIR_WORKER_TOKEN", ""}};
  request.output_fd = ends.output.get();
  request.error_fd = ends.error.get();
  request.open_files_limit = options_.open_files_limit;
  request.oom_score_adj = options_.oom_score_adj;
  auto self = std::make_shared<Zygote*>(nullptr);
  Nursery* home = &nursery;
  Result<std::unique_ptr<Zygote>> zygote =
      Zygote::start(loop_, std::move(request),
                    {.ready = [this, home, self](bool warm) { zygote_ready(*home, *self, warm); },
                     .forked =
                         [this, home](const std::string& token, pid_t pid) {
                           forked(token, pid);
                           end_retired(*home);
                         },
                     .fork_failed =
                         [this, home](const std::string& token, const std::string& error) {
                           fork_failed(token, error);
                           end_retired(*home);
                         },
                     .ended = [this, home, self](const std::string& how) { zygote_ended(*home, *self, how); }});
  if (!zygote.ok()) {
    logs_.close_source(ends.source);
    return zygote;
  }
  *self = zygote->get();
  guard_.add((*zygote)->pid());
  source = ends.source;
  return zygote;
}

Result<void> Launcher::ensure_serving(Nursery& nursery) {
  if (nursery.serving) {
    return {};
  }
  if (nursery.warming) {
    take_over(nursery);  // it serves what arrives meanwhile after it has warmed up
    return {};
  }
  SABIR_ASSIGN_OR_RETURN(nursery.serving, start_zygote(nursery, nursery.source));
  return {};
}

void Launcher::zygote_ready(Nursery& nursery, Zygote* zygote, bool warm) {
  if (zygote == nursery.warming.get()) {
    if (warm) {
      take_over(nursery);
    } else {
      zygote->warm_up();
    }
    return;
  }
  if (zygote == nursery.serving.get() && !warm && !nursery.warm_failed && !nursery.warming && !nursery.warm_timer) {
    Nursery* home = &nursery;
    nursery.warm_timer = std::make_unique<loop::Timer>(loop_, [this, home] { start_warming(*home); });
    nursery.warm_timer->start_once(options_.warm_delay_ns);
  }
}

void Launcher::start_warming(Nursery& nursery) {
  nursery.warm_timer.reset();
  Result<std::unique_ptr<Zygote>> zygote = start_zygote(nursery, nursery.warming_source);
  if (zygote.ok()) {
    nursery.warming = std::move(*zygote);
  } else {
    nursery.warm_failed = true;
    logger_.warning("the warm zygote did not start: ", zygote.error().to_string());
  }
}

void Launcher::take_over(Nursery& nursery) {
  if (nursery.source != 0) {
    logs_.close_source(nursery.source);
  }
  nursery.retired = std::move(nursery.serving);
  nursery.serving = std::move(nursery.warming);
  nursery.source = std::exchange(nursery.warming_source, 0);
  end_retired(nursery);
}

void Launcher::end_retired(Nursery& nursery) {
  if (nursery.retired && nursery.retired->owed().empty()) {
    nursery.retired->retire();  // zygote_ended() follows
  }
}

void Launcher::fork_failed(const std::string& token, const std::string& error) {
  for (const auto& [id, launch] : launches_) {
    if (launch.token == token && launch.pid == 0) {
      fail(id, "the zygote could not fork: " + error);
      return;
    }
  }
}

void Launcher::zygote_ended(Nursery& nursery, Zygote* zygote, const std::string& how) {
  guard_.remove(zygote->pid());
  std::set<std::string> owed = zygote->owed();
  bool was_serving = zygote == nursery.serving.get();
  bool was_warming = zygote == nursery.warming.get();
  SourceId source = was_serving ? nursery.source : was_warming ? nursery.warming_source : 0;
  std::string program = nursery.environment.argv.empty() ? "" : nursery.environment.argv[0];
  std::string text = "the zygote (" + program + ") ended: " + how;
  text = source != 0 ? with_output(text, source) : text;
  if (was_serving || was_warming) {
    logger_.warning(text);
  }
  if (source != 0) {
    logs_.close_source(source);
  }
  if (was_serving) {
    nursery.source = 0;
    nursery.serving.reset();
  } else if (was_warming) {
    nursery.warming_source = 0;
    nursery.warm_failed = true;
    nursery.warming.reset();
  } else {
    nursery.retired.reset();
  }
  // Last: what follows from a failure may end the nursery.
  std::vector<LaunchId> lost;
  for (const auto& [id, launch] : launches_) {
    if (launch.pid == 0 && owed.contains(launch.token)) {
      lost.push_back(id);
    }
  }
  for (LaunchId id : lost) {
    fail(id, text);
  }
}

void Launcher::stop(Nursery& nursery) {
  for (const std::unique_ptr<Zygote>* zygote : {&nursery.serving, &nursery.warming, &nursery.retired}) {
    if (*zygote) {
      guard_.remove((*zygote)->pid());
    }
  }
  for (SourceId source : {nursery.source, nursery.warming_source}) {
    if (source != 0) {
      logs_.close_source(source);
    }
  }
  for (auto& [id, launch] : launches_) {
    if (launch.nursery == &nursery) {
      launch.nursery = nullptr;
      if (!launch.over) {
        fail_later(id, "its job is over");
      }
    }
  }
  std::erase_if(launches_, [](const auto& entry) { return entry.second.over && entry.second.pid == 0; });
  std::erase_if(nurseries_, [&](const auto& entry) { return entry.get() == &nursery; });
}

size_t Launcher::zygote_count() const {
  size_t count = 0;
  for (const auto& nursery : nurseries_) {
    count += (nursery->serving ? 1 : 0) + (nursery->warming ? 1 : 0) + (nursery->retired ? 1 : 0);
  }
  return count;
}

}  // namespace sabir::node
