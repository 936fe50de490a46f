#pragma once

#include "orchestrator/base/error.hpp"

#include <string>
#include <utility>

namespace bailey {

/// What a token is refused with.
[[nodiscard]] inline tl::unexpected<Error> unauthenticated(const char* code, std::string message) {
  return fail(Error(ErrorKind::Unauthenticated, std::move(message)).with_code(code));
}

}  // namespace bailey
