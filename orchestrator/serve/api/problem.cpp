#include "orchestrator/serve/api/problem.hpp"

#include "orchestrator/base/json.hpp"

namespace bailey {

int status_of(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::InvalidArgument:
      return 400;
    case ErrorKind::Unauthenticated:
      return 401;
    case ErrorKind::PermissionDenied:
      return 403;
    case ErrorKind::NotFound:
      return 404;
    case ErrorKind::Conflict:
    case ErrorKind::FailedPrecondition:
      return 409;
    case ErrorKind::Refused:
      return 422;
    case ErrorKind::QuotaExceeded:
    case ErrorKind::RateLimited:
      return 429;
    case ErrorKind::Unsupported:
      return 501;
    case ErrorKind::Protocol:
      return 502;
    case ErrorKind::Unavailable:
      return 503;
    case ErrorKind::Timeout:
      return 504;
    case ErrorKind::Cancelled:
      return 503;
    case ErrorKind::Io:
    case ErrorKind::Internal:
      return 500;
  }
  return 500;
}

ServerResponse problem(const Error& error) {
  const int status = status_of(error.kind());
  ServerResponse response;
  response.status = status;
  response.headers = {{"Content-Type", "application/problem+json"}};
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  response.body = Json{{"type", "urn:bailey:error:" + std::string(to_string(error.kind()))},
                       {"title", to_string(error.kind())},
                       {"status", status},
                       {"detail", error.message()},
                       {"code", error.code()},
                       {"hint", error.hint()},
                       {"frames", error.frames()}}
                      .dump();
  return response;
}

}  // namespace bailey
