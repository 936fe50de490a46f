#pragma once

#include "orchestrator/base/clock.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace bailey {

/// IMF-fixdate (RFC 9110 section 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`. Parts of a second are
/// dropped.
[[nodiscard]] std::string format_http_date(WallTime time);
/// Reads IMF-fixdate alone; the obsolete forms and a day of the week that is not that day's give
/// nothing.
[[nodiscard]] std::optional<WallTime> parse_http_date(std::string_view text);

}  // namespace bailey
