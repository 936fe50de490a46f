#include "orchestrator/serve/engine/credential_access.hpp"

#include "orchestrator/serve/engine/records.hpp"

namespace bailey {

Result<CredentialAccess> credential_access(Engine& engine, const Bundle& bundle,
                                           const Environment& environment) {
  auto provider = engine.provider(bundle, environment);
  if (!provider) return fail(std::move(provider.error()));
  return in_transaction(
      engine.store(), Access::Read, [&](Transaction& transaction) -> Result<CredentialAccess> {
        auto state = find_environment_state(transaction, environment.name);
        if (!state) return fail(std::move(state.error()));
        EnvironmentState absent;
        absent.name = environment.name;
        auto identities = transaction.list(
            Collection::Identity, {.prefix = environment.name + "/", .after = {}, .limit = 1});
        if (!identities) return fail(std::move(identities.error()));
        CredentialAccess access;
        access.provider = *std::move(provider);
        access.scope = scope_of(environment, bundle.templates.at(environment.template_name),
                                *state ? **state : absent);
        access.stamped = !identities->empty();
        return access;
      });
}

}  // namespace bailey
