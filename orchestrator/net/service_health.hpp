#pragma once

#include "orchestrator/base/clock.hpp"

#include <chrono>
#include <deque>
#include <map>
#include <mutex>
#include <string>

namespace bailey {

/// What the calls of one account tell each other of failures, so that a service in trouble is not
/// kept there by those who wait for it. Thread-safe.
///
/// - A budget of retries for all services together: a token bucket of 500. A retry takes 5 and
///   brings them back when it succeeds; a call that succeeds at once brings 1. When it is empty,
///   the first failure is the last word. (The figures of the AWS SDKs' standard mode.)
/// - A breaker for each service, told by its origin (`https://nova.example:8774`): once half of at
///   least 20 calls within 30 s have failed, nothing is sent there for 5 s. Then one call may try;
///   its success closes the breaker, its failure opens it again.
class ServiceHealth {
 public:
  /// How long nothing may be sent to the service; zero: now. Zero given to the one that tries a
  /// service again binds it to call note() or withdraw().
  [[nodiscard]] std::chrono::milliseconds admit(const std::string& origin, MonotonicTime now);
  /// The admitted call was not sent after all.
  void withdraw(const std::string& origin);
  /// What came of an admitted call. Only what tells of the service counts as failed: no answer,
  /// 500, 502, 503, 504.
  void note(const std::string& origin, bool failed, MonotonicTime now);

  /// Takes one retry from the budget; false when it is spent.
  [[nodiscard]] bool take_retry();
  void give_back_retry();
  void reward_success();

 private:
  struct Call {
    MonotonicTime at;
    bool failed = false;
  };
  struct Breaker {
    std::deque<Call> calls;  ///< Of the last 30 s, while it is closed.
    std::size_t failures = 0;
    bool open = false;
    bool trying = false;  ///< Open, and one call is under way to see.
    MonotonicTime until;
  };
  static void trip(Breaker& breaker, MonotonicTime now);

  std::mutex mutex_;
  std::map<std::string, Breaker> breakers_;
  int budget_ = 500;
};

/// Scheme, host and port of a URL, as they are written.
[[nodiscard]] std::string origin_of(const std::string& url);

}  // namespace bailey
