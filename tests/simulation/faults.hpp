#pragma once

#include "tests/simulation/scheduler.hpp"

#include <cstdint>

namespace bailey::test {

/// What goes wrong in one run. Probabilities are for each call, or for each place where a process
/// can end.
struct Faults {
  double lost_answer = 0;  ///< It happened, and nobody was told.
  double half_made = 0;
  double refused = 0;
  double unavailable = 0;   ///< Before anything happened.
  double rate_limited = 0;  ///< With a Retry-After.
  VirtualTime slowest{200};
  VirtualTime longest_hidden{0};  ///< From listings, each object its own time.
  double kill = 0;
  double freeze = 0;
  VirtualTime longest_freeze{0};

  double outage = 0;  ///< The rest: whether such a thing happens in a round.
  double disk_full = 0;
  double terminate = 0;  ///< SIGTERM.
  double drift = 0;
  double loss = 0;  ///< Something vanishes at the provider.
  double quota = 0;
  double standby = 0;  ///< A second server stands by.

  /// Some of all, each in half of the runs, so that runs differ in kind and not only in detail.
  [[nodiscard]] static Faults drawn(Dice& dice) {
    const auto some = [&](double most) {
      return dice.happens(0.5) ? most * static_cast<double>(dice.between(1, 100)) / 100 : 0;
    };
    Faults faults;
    faults.lost_answer = some(0.3);
    faults.half_made = some(0.3);
    faults.refused = some(0.15);
    faults.unavailable = some(0.2);
    faults.rate_limited = some(0.2);
    faults.slowest = dice.happens(0.5) ? VirtualTime(500) : VirtualTime(30000);
    faults.longest_hidden = dice.happens(0.5) ? VirtualTime(0) : VirtualTime(120000);
    faults.kill = some(0.03);
    faults.freeze = some(0.01);
    faults.longest_freeze = VirtualTime(200000);
    faults.outage = some(1);
    faults.disk_full = some(1);
    faults.terminate = some(0.5);
    faults.drift = some(1);
    faults.loss = some(1);
    faults.quota = some(1);
    faults.standby = some(1);
    return faults;
  }
};

/// A fake that betrays the engine in one place, as if the engine left something out: the simulation
/// has to notice.
enum class Sabotage : std::uint8_t {
  None,
  NoFence,   ///< The store tells everybody that the lease is theirs.
  NoGrace,   ///< The schema says that nothing is ever hidden.
  NoLookUp,  ///< Looking up answers that there is nothing, unseen.
  NoIntent,  ///< Intents are not written.
  NoAudit,   ///< Nor are audit entries.
};

}  // namespace bailey::test
