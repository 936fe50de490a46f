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

/// Stores the sources of a valid bundle under its digest; `authors` are the e-mail addresses of
/// those who wrote what is new in it. Storing it again changes nothing.
[[nodiscard]] Status store_bundle(Transaction& transaction, const Bundle& bundle,
                                  const BundleSources& sources,
                                  const std::vector<std::string>& authors);

/// Reads a stored bundle again and checks that it still gives its digest.
[[nodiscard]] Result<Bundle> load_bundle(Transaction& transaction, const std::string& digest,
                                         const ProviderSchemas& schemas);

[[nodiscard]] Result<std::vector<std::string>> bundle_authors(Transaction& transaction,
                                                              const std::string& digest);

}  // namespace bailey
