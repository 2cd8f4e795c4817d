#include "runtime/base/result.h"

#include <cerrno>
#include <system_error>

namespace sabir {
namespace {

ErrorKind kind_of_errno(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ESRCH:
    case ENXIO:
    case ENODEV:
      return ErrorKind::kNotFound;
    case EAGAIN:
    case EBUSY:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case ENOSPC:
      return ErrorKind::kExhausted;
    case ECONNABORTED:
    case ECONNREFUSED:
    case ECONNRESET:
    case ENOTCONN:
    case EPIPE:
      return ErrorKind::kDisconnected;
    case ETIMEDOUT:
      return ErrorKind::kTimeout;
    case ECANCELED:
    case EINTR:
      return ErrorKind::kCancelled;
    case ENOSYS:
    case EOPNOTSUPP:
      return ErrorKind::kUnsupported;
    default:
      return ErrorKind::kInvalid;
  }
}

}  // namespace

std::string_view error_kind_name(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalid:
      return "invalid";
    case ErrorKind::kNotFound:
      return "not found";
    case ErrorKind::kAlreadyExists:
      return "already exists";
    case ErrorKind::kTimeout:
      return "timeout";
    case ErrorKind::kInterrupted:
      return "interrupted";
    case ErrorKind::kClosed:
      return "closed";
    case ErrorKind::kForked:
      return "forked";
    case ErrorKind::kDisconnected:
      return "disconnected";
    case ErrorKind::kUnsupported:
      return "unsupported";
    case ErrorKind::kStoreFull:
      return "store full";
    case ErrorKind::kExhausted:
      return "exhausted";
    case ErrorKind::kTaskFailed:
      return "task failed";
    case ErrorKind::kWorkerCrashed:
      return "worker crashed";
    case ErrorKind::kActorDied:
      return "actor died";
    case ErrorKind::kActorUnavailable:
      return "actor unavailable";
    case ErrorKind::kObjectLost:
      return "object lost";
    case ErrorKind::kCancelled:
      return "cancelled";
    case ErrorKind::kSystem:
      return "system";
    case ErrorKind::kInternal:
      return "internal";
    case ErrorKind::kUnschedulable:
      return "unschedulable";
    case ErrorKind::kGroupRemoved:
      return "placement group removed";
  }
  return "unknown";
}

Error Error::from_errno(int error_number, std::string_view what) {
  std::string message(what);
  message += ": ";
  message += std::generic_category().message(error_number);
  Error error(kind_of_errno(error_number), std::move(message));
  error.error_number_ = error_number;
  return error;
}

std::string Error::to_string() const {
  std::string text(error_kind_name(kind_));
  text += ": ";
  text += message_;
  return text;
}

Error Error::with_context(std::string_view where) && {
  std::string message(where);
  message += ": ";
  message += message_;
  message_ = std::move(message);
  return std::move(*this);
}

}  // namespace sabir
