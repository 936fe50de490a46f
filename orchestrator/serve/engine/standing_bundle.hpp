#pragma once

#include "orchestrator/serve/engine/engine.hpp"

#include <string>
#include <vector>

namespace bailey {

/// The accepted bundle, and in it each environment that was taken out of the specs, as it was last
/// declared: what still stands there is taken down through the gate that it had. People and their
/// keys, and whatever else the accepted bundle still has, are as of today.
[[nodiscard]] Result<BundlePointer> standing_bundle(Engine& engine, Transaction& transaction);
[[nodiscard]] Result<BundlePointer> standing_bundle(Engine& engine);

/// Remembers, in the transaction that accepts `after`, which environments of `before` it leaves
/// out.
[[nodiscard]] Status note_removed(Transaction& transaction, const Bundle& before,
                                  const Bundle& after);

/// Names of the environments of which there is something, declared or not.
[[nodiscard]] Result<std::vector<std::string>> standing_environments(Transaction& transaction);

}  // namespace bailey
