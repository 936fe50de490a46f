#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/base/json.hpp"

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <random>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

namespace bailey::devcloud {

/// What is to go wrong with one request.
struct Disturbance {
  enum class Kind : std::uint8_t {
    None,
    TooManyRequests,      ///< 429, without acting.
    InternalServerError,  ///< 500, without acting.
    ServiceUnavailable,   ///< 503, without acting.
    CutBefore,            ///< The connection closes, and nothing was done.
    CutAfter,             ///< The connection closes, and it was done.
  };
  Kind kind = Kind::None;
  std::optional<int> retry_after;  ///< Seconds, for the header.
  std::chrono::milliseconds delay{0};
};

/// The rules of `--faults`. Chances come from one seeded generator in the order of arrival, so that
/// the same requests in the same order meet the same faults.
class Faults {
 public:
  explicit Faults(std::uint64_t seed = 1) : engine_(seed) {}

  /// `{"rules": [{"match": {"service", "method", "path"}, "probability" | "every" | "times",
  /// "fault", "retry_after", "delay_ms"}], "latency_ms": {"min", "max"}, "visibility_delay_ms"}`;
  /// an array is taken as the rules alone. Unknown members are refused.
  [[nodiscard]] Status configure(const Json& description);

  /// The first rule that fits and strikes, and the latency.
  [[nodiscard]] Disturbance next(std::string_view service, std::string_view method,
                                 const std::string& path);
  [[nodiscard]] std::chrono::milliseconds visibility_delay() const noexcept {
    return visibility_delay_;
  }

 private:
  struct Rule {
    std::string service;
    std::string method;
    std::optional<std::regex> path;
    double probability = 1.0;
    std::uint64_t every = 0;
    std::optional<std::uint64_t> times;
    Disturbance effect;
    std::uint64_t seen = 0;
    std::uint64_t struck = 0;
  };
  [[nodiscard]] static Result<Rule> read_rule(const Json& description);
  [[nodiscard]] bool strikes(Rule& rule);

  std::mutex mutex_;
  std::mt19937_64 engine_;
  std::vector<Rule> rules_;
  std::chrono::milliseconds least_latency_{0};
  std::chrono::milliseconds most_latency_{0};
  std::chrono::milliseconds visibility_delay_{0};
};

}  // namespace bailey::devcloud
