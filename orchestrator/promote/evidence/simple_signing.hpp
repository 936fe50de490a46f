#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/promote/evidence/statement.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>

namespace bailey {

/// The media type of cosign's older signatures, under the tag `sha256-<hex>.sig`.
inline constexpr std::string_view kSimpleSigning =
    "application/vnd.dev.cosign.simplesigning.v1+json";

/// cosign's older form: the signature is over the payload's bytes themselves.
struct SimpleSigning {
  std::string payload;
  std::string signature;  ///< Raw bytes.
};

[[nodiscard]] nlohmann::json to_json(const SimpleSigning& signing);
/// Protocol with `evidence.malformed` for what is no such value.
[[nodiscard]] Result<SimpleSigning> simple_signing_from_json(const nlohmann::json& value);

/// What the payload of a verified signature says: that the image with the digest under
/// `critical.image` was signed, as a statement of type kSignaturePredicate. The reference under
/// `critical.identity` is a name for people and decides nothing.
[[nodiscard]] Result<Statement> statement_of_simple_signing(std::string_view payload);

}  // namespace bailey
