#pragma once

#include "orchestrator/declare/spec/source_files.hpp"
#include "orchestrator/model/bundle.hpp"
#include "orchestrator/model/provider_schema.hpp"
#include "orchestrator/record/store/state_store.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace bailey {

/// `{"specs": [{"path", "text"}], "programs": {path: base64}}`: how sources travel and are stored.
[[nodiscard]] nlohmann::json to_json(const BundleSources& sources);
/// Refuses program paths that leave their folder.
[[nodiscard]] Result<BundleSources> bundle_sources_from_json(const nlohmann::json& value);

/// Where a bundle comes from.
struct BundleOrigin {
  std::vector<std::string> authors;  ///< E-mail addresses of those who wrote what is new in it.
  std::string commit;                ///< In git; empty when it is not kept there.
};

/// Stores the sources of a valid bundle under its digest. Storing it again adds the authors that
/// are new and changes nothing else.
[[nodiscard]] Status store_bundle(Transaction& transaction, const Bundle& bundle,
                                  const BundleSources& sources, const BundleOrigin& origin);

/// Reads a stored bundle again and checks that it still gives its digest.
[[nodiscard]] Result<Bundle> load_bundle(Transaction& transaction, const std::string& digest,
                                         const ProviderSchemas& schemas);

[[nodiscard]] Result<BundleOrigin> bundle_origin(Transaction& transaction,
                                                 const std::string& digest);

}  // namespace bailey
