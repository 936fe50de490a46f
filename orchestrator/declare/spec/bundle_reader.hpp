#pragma once

#include "orchestrator/base/diagnostic.hpp"
#include "orchestrator/declare/spec/source_files.hpp"
#include "orchestrator/model/bundle.hpp"
#include "orchestrator/model/provider_schema.hpp"

#include <memory>
#include <optional>
#include <string>

namespace bailey {

/// Where a bundle's documents say what they say, for findings about a bundle that was read. One
/// without documents knows no place.
class BundlePlaces {
 public:
  struct Documents;
  BundlePlaces() = default;
  explicit BundlePlaces(std::shared_ptr<const Documents> documents)
      : documents_(std::move(documents)) {}

  /// The place of a value by its JSON pointer within `spec`; of the nearest that contains it when
  /// it was not written. A Directory may be several documents and is asked for without a name.
  [[nodiscard]] std::optional<SourceRange> at(const std::string& kind, const std::string& name,
                                              const std::string& pointer) const;
  /// The place of a value's key, or of the value where there is no key.
  [[nodiscard]] std::optional<SourceRange> key_at(const std::string& kind, const std::string& name,
                                                  const std::string& pointer) const;

 private:
  std::shared_ptr<const Documents> documents_;
};

/// Reads, resolves and validates a bundle, the floors of the classes included. Every problem is a
/// finding with its position; all of them are found in one run. Nothing when one of them is an
/// error: a bundle that exists is valid. The result and its digest depend on what the documents
/// say alone, not on their order, layout, comments or division into files. `places` are filled when
/// there is a result.
[[nodiscard]] std::optional<Bundle> read_bundle(const BundleSources& sources,
                                                const ProviderSchemas& providers,
                                                Diagnostics& diagnostics,
                                                BundlePlaces* places = nullptr);

}  // namespace bailey
