#pragma once

#include "orchestrator/base/clock.hpp"
#include "orchestrator/model/gate.hpp"

#include <optional>

namespace bailey {

/// A window as it stands at one moment. A window that ends before it begins runs over midnight and
/// belongs to the day on which it begins.
struct WindowState {
  bool known = false;  ///< False for a zone that the machine does not know: then it is shut.
  bool open = false;
  std::optional<WallTime> opens_at;    ///< When shut: the next opening.
  std::optional<WallTime> shut_since;  ///< When shut: the end of the last one.
};

[[nodiscard]] WindowState window_at(const WindowCondition& window, WallTime now);

}  // namespace bailey
