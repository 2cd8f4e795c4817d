// What a process needs that carries calls to another node and back (runtime/gateway): it claims many calls at a time,
// ends them with values that others made, and stands for values that are still on their way. All without the client's
// lock.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/client/client.h"
#include "runtime/client/execute.h"

namespace sabir::client {

class Relay {
 public:
  // The client must outlive it.
  explicit Relay(Client& client) : core_(client.core()) {}
  explicit Relay(Core& core) : core_(core) {}

  // A worker's: Client::next_work() claims up to so many calls before the first of them has ended.
  void set_width(uint32_t calls);

  // End the work, whatever they return. The values' counts are taken. finish: num_returns values, ready, of this
  // client.
  Result<void> finish(Work* work, std::vector<Future*> values);
  // A ready error value, as it came. `retryable`: the options' retry_errors applies to it.
  void fail(Work* work, Future* error, bool retryable);
  // Its worker died on the other node: an attempt, as in R1. `message` if none is left.
  void lose(Work* work, std::string_view message);
  // It did not begin there: it goes back to its submitter's queue.
  void give_back(Work* work);

  // An actor's: its constructor has returned on the other node, or has not and never will. `error`: a Value, or "".
  Result<void> finish_creation(Work* work);
  void fail_creation(Work* work, std::string message, std::string error);

  // A pending reference of this client with the given id, that a value is promised for. The caller's count.
  Future* promise(uint64_t uid, uint64_t sequence);
  // The promise has the value of `value`, which is ready and of this client. Takes its count, not the promise's.
  void fulfil(Future* promise, Future* value);
  // ... or fails.
  void break_promise(Future* promise, ErrorKind kind, std::string_view message);

  // The result of a call that stays on another node (O10): a reference for finish(). The caller's count.
  Result<Future*> make_elsewhere(ValueHeader header, uint64_t size_bytes, uint64_t uid, uint64_t sequence);
  static rpc::EntryKey entry_of(const Future* elsewhere);
  // The id that it has where it is: references to it may have others, of the calls that it is a result of.
  std::pair<uint64_t, uint64_t> id_of_entry(const Future* elsewhere) const;
  // It has come as `value`, which is ready, or will not (null). Once. Takes the value's count.
  void deliver_elsewhere(rpc::EntryKey entry, Future* value);

  // A ready value; large ones go into the store, for whose room it waits.
  Result<Future*> make_value(ValueHeader header, std::span<Future* const> refs, std::string_view bytes,
                             int64_t timeout_ns);
  // Of a value that was made here for a foreign reference: the id it has everywhere. Before anybody else knows it.
  void rename(Future* ready, uint64_t uid, uint64_t sequence);

  // A ready value that is this error of the core.
  Future* make_error(ErrorKind kind, std::string_view message);

 private:
  Core& core_;
};

}  // namespace sabir::client
