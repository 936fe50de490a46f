#include "orchestrator/promote/gate/window.hpp"

#include <date/tz.h>

#include <exception>

namespace bailey {

namespace {

const date::time_zone* find_zone(const std::string& name) {
  try {
    return date::locate_zone(name);
  } catch (const std::exception&) {
    return nullptr;
  }
}

}  // namespace

WindowState window_at(const WindowCondition& window, WallTime now) {
  WindowState state;
  const auto* zone = find_zone(window.zone);
  if (zone == nullptr || window.days.empty() || window.from == window.to) return state;
  state.known = true;
  const auto local = zone->to_local(now);
  const auto today = date::floor<date::days>(local);
  const auto length = window.to > window.from ? window.to - window.from
                                              : window.to - window.from + std::chrono::hours(24);
  const auto moment = [&](auto time) {
    return date::floor<std::chrono::milliseconds>(zone->to_sys(time, date::choose::earliest));
  };
  // A week and a day back and ahead cover every weekday once more.
  for (int offset = -9; offset <= 8; ++offset) {
    const auto day = today + date::days(offset);
    if (!window.days.contains(date::weekday(day).iso_encoding())) continue;
    const auto begin = day + window.from;
    if (local >= begin + length) {
      state.shut_since = moment(begin + length);
      continue;
    }
    if (local >= begin) {
      state.open = true;
      state.shut_since.reset();
      return state;
    }
    // Where clocks go forward over `from`, the window opens at the jump.
    state.opens_at = moment(begin);
    return state;
  }
  return state;
}

}  // namespace bailey
