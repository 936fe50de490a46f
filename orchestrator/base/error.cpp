#include "orchestrator/base/error.hpp"

namespace bailey {

std::string_view to_string(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::InvalidArgument:
      return "invalid-argument";
    case ErrorKind::Unauthenticated:
      return "unauthenticated";
    case ErrorKind::PermissionDenied:
      return "permission-denied";
    case ErrorKind::Refused:
      return "refused";
    case ErrorKind::NotFound:
      return "not-found";
    case ErrorKind::Conflict:
      return "conflict";
    case ErrorKind::QuotaExceeded:
      return "quota-exceeded";
    case ErrorKind::FailedPrecondition:
      return "failed-precondition";
    case ErrorKind::RateLimited:
      return "rate-limited";
    case ErrorKind::Unavailable:
      return "unavailable";
    case ErrorKind::Timeout:
      return "timeout";
    case ErrorKind::Cancelled:
      return "cancelled";
    case ErrorKind::Unsupported:
      return "unsupported";
    case ErrorKind::Io:
      return "io";
    case ErrorKind::Protocol:
      return "protocol";
    case ErrorKind::Internal:
      return "internal";
  }
  return "internal";
}

bool Error::retryable() const noexcept {
  return kind_ == ErrorKind::RateLimited || kind_ == ErrorKind::Unavailable ||
         kind_ == ErrorKind::Timeout;
}

Error Error::in(std::string frame) && {
  frames_.push_back(std::move(frame));
  return std::move(*this);
}

Error Error::with_hint(std::string hint) && {
  hint_ = std::move(hint);
  return std::move(*this);
}

Error Error::with_code(std::string code) && {
  code_ = std::move(code);
  return std::move(*this);
}

Error Error::with_retry_after(std::chrono::milliseconds delay) && {
  retry_after_ = delay;
  return std::move(*this);
}

std::string Error::render() const {
  std::string text = message_;
  for (const auto& frame : frames_) text += "\n  while " + frame;
  if (!hint_.empty()) text += "\n" + hint_;
  return text;
}

}  // namespace bailey
