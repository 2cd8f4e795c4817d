// What workers and zygotes write to their standard output and error: read by sabird, kept in the session's log file,
// and sent to the job's driver. Bounded everywhere: a process that floods costs lines (counted), never sabird's memory,
// and never waits for a slow reader behind sabird.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"
#include "runtime/loop/event_loop.h"
#include "runtime/loop/fd_watcher.h"
#include "runtime/loop/timer.h"
#include "runtime/node/log_file.h"
#include "runtime/rpc/session_types.h"

namespace sabir::node {

// The output of one process.
using SourceId = uint64_t;

class Logs {
 public:
  // Who writes. job 0: nobody's (a zygote); such lines go to the file only.
  struct Origin {
    uint32_t pid = 0;
    uint32_t job = 0;
    std::string task_name;  // what it runs now
  };
  struct Options {
    uint64_t max_outbox_bytes = 256 << 10;  // of one job
    uint64_t max_batch_bytes = 64 << 10;    // of one call to a driver
    size_t max_batch_entries = 1024;
    int64_t retry_ns = 20 * 1'000'000;  // while a driver is slower than its workers
  };
  // Sends lines to the driver of a job; false: not now. Nothing for a job without a driver that listens.
  using Send = std::function<bool(uint32_t job, std::vector<rpc::LogLines>& lines)>;

  Logs(loop::EventLoop& loop, LogFile file, Options options, std::function<Origin(SourceId)> describe, Send send);
  ~Logs();

  struct WriteEnds {
    SourceId source = 0;
    UniqueFd output;
    UniqueFd error;
  };
  // Pipes for a process that is to be started. Give the ends to it and close them here.
  Result<WriteEnds> open_source();
  // The process is dead: reads what is left (bounded), then forgets the source.
  void close_source(SourceId source);
  // Reads what has arrived, and returns the last lines.
  std::string tail(SourceId source);

  // What a worker on another node has written. Kept by that node; here it goes to the driver only.
  void add_remote(uint32_t job, std::vector<rpc::LogLines> lines);

  void job_ended(uint32_t job);
  // The driver is ready for more, or there is one now.
  void flush(uint32_t job);

  uint64_t dropped_lines() const { return dropped_lines_; }

 private:
  struct Stream {
    SourceId source = 0;
    uint32_t number = 1;  // 1 standard output, 2 standard error
    UniqueFd fd;
    std::unique_ptr<loop::FdWatcher> watcher;
    LineSplitter splitter;
  };
  struct Source {
    Stream streams[2];
    LineTail tail;
  };
  struct Outbox {
    std::deque<rpc::LogLines> lines;
    uint64_t bytes = 0;
    uint64_t dropped = 0;
  };

  // One read; false: nothing more for now, or the end.
  bool read_once(Source& source, Stream& stream);
  void drain(Source& source, Stream& stream);
  void add_line(Source& source, const Stream& stream, const Origin& origin, std::string_view line, std::string& text);
  void to_driver(const Origin& origin, uint32_t stream, std::string_view line);
  void flush_all();

  loop::EventLoop& loop_;
  LogFile file_;
  const Options options_;
  const std::function<Origin(SourceId)> describe_;
  const Send send_;
  loop::Timer retry_;
  std::vector<char> buffer_;
  SourceId next_source_ = 1;
  std::map<SourceId, std::unique_ptr<Source>> sources_;
  std::map<uint32_t, Outbox> outboxes_;
  uint64_t dropped_lines_ = 0;
};

}  // namespace sabir::node
