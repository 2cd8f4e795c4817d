#include "runtime/node/logs.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace sabir::node {
namespace {

// One read per stream and round of the loop: streams take turns with everything else that sabird does.
constexpr size_t kReadBytes = 64 << 10;
// Of a dead process: what its pipe can hold, and a little.
constexpr int kMaxDrainReads = 20;

}  // namespace

Logs::Logs(loop::EventLoop& loop, LogFile file, Options options, std::function<Origin(SourceId)> describe, Send send)
    : loop_(loop),
      file_(std::move(file)),
      options_(options),
      describe_(std::move(describe)),
      send_(std::move(send)),
      retry_(loop, [this] { flush_all(); }),
      buffer_(kReadBytes) {}

Logs::~Logs() = default;

Result<Logs::WriteEnds> Logs::open_source() {
  auto source = std::make_unique<Source>();
  WriteEnds ends;
  ends.source = next_source_++;
  for (uint32_t i = 0; i < 2; ++i) {
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC) != 0) {
      return Error::from_errno(errno, "pipe for a worker's output");
    }
    Stream& stream = source->streams[i];
    stream.source = ends.source;
    stream.number = i + 1;
    stream.fd.reset(fds[0]);
    (i == 0 ? ends.output : ends.error).reset(fds[1]);
    SABIR_ASSIGN_OR_RETURN(stream.watcher,
                           loop::FdWatcher::create(loop_, fds[0], [this, id = ends.source, i](uint32_t) {
                             if (auto found = sources_.find(id); found != sources_.end()) {
                               read_once(*found->second, found->second->streams[i]);
                             }
                           }));
    stream.watcher->watch(loop::kReadable | loop::kHungUp);
  }
  sources_.emplace(ends.source, std::move(source));
  return ends;
}

bool Logs::read_once(Source& source, Stream& stream) {
  if (!stream.fd) {
    return false;
  }
  ssize_t size_bytes = ::read(stream.fd.get(), buffer_.data(), buffer_.size());
  if (size_bytes < 0 && (errno == EAGAIN || errno == EINTR)) {
    return false;
  }
  Origin origin = describe_(stream.source);
  std::string text;
  auto on_line = [&](std::string_view line) { add_line(source, stream, origin, line, text); };
  if (size_bytes > 0) {
    stream.splitter.feed({buffer_.data(), static_cast<size_t>(size_bytes)}, on_line);
  } else {
    stream.splitter.finish(on_line);
    stream.watcher.reset();
    stream.fd.reset();
  }
  if (!text.empty()) {
    file_.append(text);
    flush(origin.job);
  }
  return stream.fd.valid();
}

void Logs::add_line(Source& source, const Stream& stream, const Origin& origin, std::string_view line,
                    std::string& text) {
  source.tail.add(line);
  text += std::to_string(origin.pid);
  text += stream.number == 1 ? " out " : " err ";
  if (!origin.task_name.empty()) {
    text += "(" + origin.task_name + ") ";
  }
  text.append(line);
  text += '\n';
  if (origin.job != 0) {
    to_driver(origin, stream.number, line);
  }
}

void Logs::to_driver(const Origin& origin, uint32_t stream, std::string_view line) {
  Outbox& outbox = outboxes_[origin.job];
  if (outbox.bytes + line.size() + 1 > options_.max_outbox_bytes) {
    ++outbox.dropped;
    ++dropped_lines_;
    return;
  }
  rpc::LogLines* last = outbox.lines.empty() ? nullptr : &outbox.lines.back();
  bool joins = last != nullptr && outbox.dropped == 0 && last->pid == origin.pid && last->stream == stream &&
               last->task_name == origin.task_name && last->text.size() < options_.max_batch_bytes / 4;
  if (!joins) {
    outbox.lines.push_back({origin.pid, stream, origin.task_name, "", std::exchange(outbox.dropped, 0)});
    last = &outbox.lines.back();
  }
  last->text.append(line);
  last->text += '\n';
  outbox.bytes += line.size() + 1;
}

void Logs::add_remote(uint32_t job, std::vector<rpc::LogLines> lines) {
  Outbox& outbox = outboxes_[job];
  for (rpc::LogLines& entry : lines) {
    if (entry.text.empty()) {
      continue;
    }
    uint64_t dropped = entry.dropped_lines + std::exchange(outbox.dropped, 0);
    if (outbox.bytes + entry.text.size() > options_.max_outbox_bytes) {
      auto left_out = static_cast<uint64_t>(std::count(entry.text.begin(), entry.text.end(), '\n'));
      outbox.dropped = dropped + left_out;
      dropped_lines_ += left_out;
      continue;
    }
    entry.dropped_lines = dropped;
    outbox.bytes += entry.text.size();
    outbox.lines.push_back(std::move(entry));
  }
  flush(job);
}

void Logs::flush(uint32_t job) {
  auto found = outboxes_.find(job);
  if (found == outboxes_.end() || found->second.lines.empty()) {
    return;
  }
  Outbox& outbox = found->second;
  std::vector<rpc::LogLines> batch;
  uint64_t batch_bytes = 0;
  while (!outbox.lines.empty() && batch.size() < options_.max_batch_entries &&
         (batch.empty() || batch_bytes < options_.max_batch_bytes)) {
    batch_bytes += outbox.lines.front().text.size();
    batch.push_back(std::move(outbox.lines.front()));
    outbox.lines.pop_front();
  }
  if (send_(job, batch)) {
    outbox.bytes -= batch_bytes;
  } else {
    outbox.lines.insert(outbox.lines.begin(), std::make_move_iterator(batch.begin()),
                        std::make_move_iterator(batch.end()));
  }
  if (!outbox.lines.empty() && !retry_.active()) {
    retry_.start_once(options_.retry_ns);
  }
}

void Logs::flush_all() {
  std::vector<uint32_t> jobs;
  for (const auto& [job, outbox] : outboxes_) {
    jobs.push_back(job);
  }
  for (uint32_t job : jobs) {
    flush(job);
  }
}

void Logs::drain(Source& source, Stream& stream) {
  for (int i = 0; i < kMaxDrainReads && read_once(source, stream); ++i) {
  }
}

void Logs::close_source(SourceId id) {
  auto found = sources_.find(id);
  if (found == sources_.end()) {
    return;
  }
  for (Stream& stream : found->second->streams) {
    drain(*found->second, stream);
    if (stream.fd) {
      std::string text;
      Origin origin = describe_(id);
      stream.splitter.finish([&](std::string_view line) { add_line(*found->second, stream, origin, line, text); });
      if (!text.empty()) {
        file_.append(text);
        flush(origin.job);
      }
    }
    stream.watcher.reset();  // before its descriptor
  }
  sources_.erase(found);
}

std::string Logs::tail(SourceId id) {
  auto found = sources_.find(id);
  if (found == sources_.end()) {
    return "";
  }
  for (Stream& stream : found->second->streams) {
    drain(*found->second, stream);
  }
  return found->second->tail.text();
}

void Logs::job_ended(uint32_t job) { outboxes_.erase(job); }

}  // namespace sabir::node
