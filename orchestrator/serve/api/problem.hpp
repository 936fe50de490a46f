#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/net/http_server.hpp"

namespace bailey {

/// The HTTP status of a kind of error.
[[nodiscard]] int status_of(ErrorKind kind) noexcept;

/// The error as RFC 9457 `application/problem+json`: `type` is `urn:bailey:error:<kind>`, `title`
/// the kind, `detail` the message, and `code`, `hint` and `frames` as the Error has them.
[[nodiscard]] ServerResponse problem(const Error& error);

}  // namespace bailey
