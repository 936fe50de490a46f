#include "orchestrator/model/gate.hpp"

#include <array>

namespace bailey {

std::string_view kind_of(const Condition& condition) noexcept {
  constexpr std::array<std::string_view, std::variant_size_v<Condition>> kNames{
      "verified", "soak", "approvals", "evidence", "check", "window"};
  return kNames[condition.index()];
}

}  // namespace bailey
