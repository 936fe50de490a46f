#pragma once

#include <string>
#include <string_view>

namespace bailey::test {

/// Compares `got` with tests/golden/`name`. With UPDATE_GOLDEN=1 it writes the file and skips the
/// test, so that a rewriting run is never called green.
void expect_golden(std::string_view name, const std::string& got);

}  // namespace bailey::test
