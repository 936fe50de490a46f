#pragma once

#include "orchestrator/base/stop.hpp"
#include "orchestrator/provision/apply/lease.hpp"
#include "orchestrator/serve/engine/engine.hpp"

#include <string>

namespace bailey {

/// Runs `body(fence, stop)` with the lease of an environment, which is kept alive meanwhile and
/// given back at the end. Its `stop` is requested with the given one, or when the lease is lost.
/// Conflict, code `lease.held`, while somebody else has it. Gives back what the body gave, or the
/// failure to give the lease back after a success.
template <class Body>
auto with_lease(Engine& engine, const std::string& environment, const std::string& holder,
                std::stop_token stop, Body&& body) -> decltype(body(Fence(), std::stop_token())) {
  auto fence = in_transaction(engine.store(), Access::Write, [&](Transaction& transaction) {
    return acquire_lease(transaction, environment, holder, engine.lease_ttl(),
                         engine.clock().wall_now());
  });
  if (!fence) return fail(std::move(fence.error()));
  auto done = [&] {
    const LeaseKeeper keeper(engine.store(), engine.clock(), *fence);
    const SendingWithin lease(keeper.term());
    const EitherStop ended(std::move(stop), keeper.lost());
    return body(*fence, ended.token());
  }();
  auto released = in_transaction(engine.store(), Access::Write, [&](Transaction& transaction) {
    return release_lease(transaction, *fence);
  });
  if (done && !released) return fail(std::move(released.error()));
  return done;
}

}  // namespace bailey
