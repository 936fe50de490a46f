#include "orchestrator/base/yaml.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  bailey::Diagnostics diagnostics;
  (void)bailey::parse_yaml("fuzz.yaml", {reinterpret_cast<const char*>(data), size}, diagnostics);
  (void)diagnostics.sorted();
  return 0;
}
