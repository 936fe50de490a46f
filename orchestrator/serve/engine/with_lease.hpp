#pragma once

#include "orchestrator/provision/apply/lease.hpp"
#include "orchestrator/serve/engine/engine.hpp"

#include <string>

namespace bailey {

/// Runs `body(fence)` with the lease of an environment, which is kept alive meanwhile and given
/// back at the end. Conflict, code `lease.held`, while somebody else has it. Gives back what the
/// body gave, or the failure to give the lease back after a success.
template <class Body>
auto with_lease(Engine& engine, const std::string& environment, const std::string& holder,
                Body&& body) -> decltype(body(Fence())) {
  auto fence = in_transaction(engine.store(), Access::Write, [&](Transaction& transaction) {
    return acquire_lease(transaction, environment, holder, kDefaultLeaseTtl,
                         engine.clock().wall_now());
  });
  if (!fence) return fail(std::move(fence.error()));
  auto done = [&] {
    const LeaseKeeper keeper(engine.store(), engine.clock(), *fence);
    return body(*fence);
  }();
  auto released = in_transaction(engine.store(), Access::Write, [&](Transaction& transaction) {
    return release_lease(transaction, *fence);
  });
  if (done && !released) return fail(std::move(released.error()));
  return done;
}

}  // namespace bailey
