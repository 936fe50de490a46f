#pragma once

#include "orchestrator/provision/credential/credentials.hpp"
#include "orchestrator/serve/engine/engine.hpp"

#include <memory>

namespace bailey {

/// What it takes to work on the credentials of one environment.
struct CredentialAccess {
  std::shared_ptr<Provider> provider;
  CredentialScope scope;
  bool stamped = false;  ///< There are identities to issue from.

  [[nodiscard]] CredentialTools tools(Engine& engine) const {
    return tools(engine, engine.store());
  }
  /// With another view of the store, which outlives them: FencedStore, for work under a lease.
  [[nodiscard]] CredentialTools tools(Engine& engine, StateStore& store) const {
    return {store, *provider, engine.sealer(), engine.opener(), engine.clock(), engine.random()};
  }
};

[[nodiscard]] Result<CredentialAccess> credential_access(Engine& engine, const Bundle& bundle,
                                                         const Environment& environment);

}  // namespace bailey
