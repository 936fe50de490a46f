#pragma once

#include "orchestrator/base/diagnostic.hpp"
#include "orchestrator/declare/spec/source_files.hpp"
#include "orchestrator/model/bundle.hpp"
#include "orchestrator/model/provider_schema.hpp"

#include <optional>

namespace bailey {

/// Reads, resolves and validates a bundle, the floors of the classes included. Every problem is a
/// finding with its position; all of them are found in one run. Nothing when one of them is an
/// error: a bundle that exists is valid. The result and its digest depend on what the documents
/// say alone, not on their order, layout, comments or division into files.
[[nodiscard]] std::optional<Bundle> read_bundle(const BundleSources& sources,
                                                const ProviderSchemas& providers,
                                                Diagnostics& diagnostics);

}  // namespace bailey
