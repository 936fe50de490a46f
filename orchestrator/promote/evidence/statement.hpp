#pragma once

#include "orchestrator/base/error.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace bailey {

/// What a statement is about; matched by digest alone, the name is for people.
struct StatementSubject {
  std::string name;
  std::string digest;  ///< `sha256:<64 hex>`.
  bool operator==(const StatementSubject&) const = default;
};

/// in-toto Statement v1.
struct Statement {
  std::vector<StatementSubject> subjects;
  std::string predicate_type;
  nlohmann::json predicate;
  bool operator==(const Statement&) const = default;
};

inline constexpr std::string_view kStatementType = "https://in-toto.io/Statement/v1";

inline constexpr std::string_view kApprovalPredicate = "urn:bailey:approval:v1";
inline constexpr std::string_view kAuthorshipPredicate = "urn:bailey:authorship:v1";
inline constexpr std::string_view kVerificationPredicate = "urn:bailey:verification:v1";
/// cosign's name for "this was signed", with nothing more said.
inline constexpr std::string_view kSignaturePredicate = "https://sigstore.dev/cosign/sign/v1";

[[nodiscard]] nlohmann::json to_json(const Statement& statement);
/// Members that it does not know are passed over, as the specification asks; a subject without a
/// SHA-256 digest, or no subject at all, is refused.
[[nodiscard]] Result<Statement> statement_from_json(const nlohmann::json& value);
/// Reads the payload of a verified envelope.
[[nodiscard]] Result<Statement> parse_statement(std::string_view payload);
/// The RFC 8785 form: what is signed.
[[nodiscard]] std::string payload_of(const Statement& statement);

}  // namespace bailey
