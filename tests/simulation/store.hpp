#pragma once

#include "orchestrator/record/store/state_store.hpp"
#include "tests/simulation/cloud.hpp"

namespace bailey::test {

/// What is wrong with the disk.
enum class Disk : std::uint8_t { Well, Full, Broken };

/// One server's door to the store: a dead one gets nothing through, a bad disk fails, and a process
/// can end on either side of a commit.
class StoreDoor final : public StateStore {
 public:
  StoreDoor(StateStore& store, SimulatedCloud& cloud, Server& server, const Disk& disk)
      : store_(store), cloud_(cloud), server_(server), disk_(disk) {}
  Result<std::unique_ptr<Transaction>> begin(Access access) override;

 private:
  class Doored;

  StateStore& store_;
  SimulatedCloud& cloud_;
  Server& server_;
  const Disk& disk_;
};

}  // namespace bailey::test
