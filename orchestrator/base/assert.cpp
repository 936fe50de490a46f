#include "orchestrator/base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace bailey::detail {

void assertion_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: \"%s\" does not hold. This is a bug in bailey.\n", file, line,
               condition);
  std::abort();
}

}  // namespace bailey::detail
