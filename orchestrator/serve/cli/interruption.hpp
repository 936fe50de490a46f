#pragma once

#include <array>
#include <csignal>
#include <stop_token>
#include <thread>

namespace bailey {

/// Turns SIGINT, SIGTERM and SIGHUP into a stop request as long as it lives; one at a time.
class Interruption {
 public:
  Interruption();
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;
  [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }
  [[nodiscard]] bool requested() const { return stop_.stop_requested(); }

 private:
  std::stop_source stop_;
  std::array<int, 2> pipe_{-1, -1};  ///< A handler may write to it, and do little else.
  std::array<struct sigaction, 3> before_{};
  std::thread thread_;
};

}  // namespace bailey
