#pragma once

#include "orchestrator/serve/engine/backoff.hpp"
#include "orchestrator/serve/engine/engine.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

namespace bailey {

/// How often is looked after what nobody asks for.
struct HousekeepingOptions {
  std::chrono::seconds drift_every = std::chrono::hours(1);  ///< 0: never of itself.
  std::chrono::seconds sweep_every = std::chrono::minutes(5);
};

/// Does what has to be done without anybody asking: ends sandboxes and grants whose time is over,
/// says when the review of an emergency is late, looks for drift, and clears away credentials that
/// have expired or could not be revoked. Each job on each environment has a thread of its own, so
/// that one that is stuck holds up no other, nor any change; one that failed is tried again ever
/// more seldom, up to an hour. Stopping ends what is under way.
class Housekeeper {
 public:
  Housekeeper(Engine& engine, HousekeepingOptions options);
  ~Housekeeper();
  Housekeeper(const Housekeeper&) = delete;
  Housekeeper& operator=(const Housekeeper&) = delete;

 private:
  using Job = std::function<Status(std::stop_token)>;
  struct Running {
    std::atomic<bool> done{false};
    std::atomic<bool> succeeded{false};
    std::jthread thread;
  };
  /// What is known about one job on one environment.
  struct Entry {
    Backoff backoff;
    MonotonicTime succeeded_at{};
    bool ever = false;
    std::unique_ptr<Running> running;
  };

  void run(std::stop_token stop);
  /// One round: starts what is due.
  void look();
  void collect(Entry& entry);
  void look_after(const std::string& environment, bool declared);
  /// Starts it unless it runs, failed lately, or succeeded less than `every` ago.
  void start(const std::string& kind, const std::string& environment, std::chrono::seconds every,
             std::size_t most, Job job);
  [[nodiscard]] bool drift_is_due(const std::string& environment);

  Engine& engine_;
  HousekeepingOptions options_;
  std::map<std::string, Entry> entries_;  ///< `job/environment`; the thread's own.
  std::mutex waiting_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

}  // namespace bailey
