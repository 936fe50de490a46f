#include "orchestrator/serve/cli/exit_code.hpp"

namespace bailey {

int exit_code_of(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::Unauthenticated:
    case ErrorKind::PermissionDenied:
    case ErrorKind::Refused:
      return kRefused;
    case ErrorKind::Cancelled:
      return kInterrupted;
    case ErrorKind::InvalidArgument:
    case ErrorKind::NotFound:
    case ErrorKind::Conflict:
    case ErrorKind::QuotaExceeded:
    case ErrorKind::FailedPrecondition:
    case ErrorKind::RateLimited:
    case ErrorKind::Unavailable:
    case ErrorKind::Timeout:
    case ErrorKind::Unsupported:
    case ErrorKind::Io:
    case ErrorKind::Protocol:
    case ErrorKind::Internal:
      return kFailed;
  }
  return kFailed;
}

}  // namespace bailey
