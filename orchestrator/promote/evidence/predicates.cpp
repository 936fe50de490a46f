#include "orchestrator/promote/evidence/predicates.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/promote/evidence/authorship.hpp"
#include "orchestrator/promote/evidence/verification.hpp"

#include <fmt/format.h>

#include <map>

namespace bailey {

namespace {

Status missing(const Statement& statement, std::string_view what) {
  return fail(Error(ErrorKind::Protocol, fmt::format("a statement of type {} does not say its {}",
                                                     statement.predicate_type, what))
                  .with_code("evidence.malformed"));
}

Status negative(const Statement& statement, std::string_view outcome) {
  return fail(
      Error(ErrorKind::Refused, fmt::format("a statement of type {} says {}: it opens no gate",
                                            statement.predicate_type, outcome))
          .with_code("evidence.negative"));
}

// https://slsa.dev/spec/v1.0/provenance: the two fields without which nothing is said.
Status check_provenance(const Statement& statement) {
  const auto& predicate = statement.predicate;
  if (string_member(member(predicate, "buildDefinition"), "buildType").empty()) {
    return missing(statement, "buildDefinition.buildType");
  }
  if (string_member(member(member(predicate, "runDetails"), "builder"), "id").empty()) {
    return missing(statement, "runDetails.builder.id");
  }
  return {};
}

Status check_passed(const Statement& statement, const char* field) {
  const auto outcome = string_member(statement.predicate, field);
  if (outcome.empty()) return missing(statement, field);
  return outcome == "PASSED" ? Status() : negative(statement, outcome);
}

Status check_test_result(const Statement& statement) {
  return check_passed(statement, "result");
}

Status check_summary(const Statement& statement) {
  return check_passed(statement, "verificationResult");
}

// What was found and whether it matters is for whoever signs to judge; that something looked is
// not.
Status check_scan(const Statement& statement) {
  return member(statement.predicate, "scanner").is_object() ? Status()
                                                            : missing(statement, "scanner");
}

Status check_authorship(const Statement& statement) {
  auto read = authorship_from_statement(statement);
  return read ? Status() : Status(fail(std::move(read.error())));
}

Status check_verification(const Statement& statement) {
  auto read = verification_from_statement(statement);
  if (!read) return fail(std::move(read.error()));
  return read->passed() ? Status() : negative(statement, "that it did not pass");
}

}  // namespace

Status check_predicate(const Statement& statement) {
  static const std::map<std::string_view, Status (*)(const Statement&)> kChecks{
      {kProvenancePredicate, check_provenance},     {kSummaryPredicate, check_summary},
      {kTestResultPredicate, check_test_result},    {kVulnerabilitiesPredicate, check_scan},
      {kCosignScanPredicate, check_scan},           {kAuthorshipPredicate, check_authorship},
      {kVerificationPredicate, check_verification},
  };
  const auto check = kChecks.find(statement.predicate_type);
  return check == kChecks.end() ? Status() : check->second(statement);
}

}  // namespace bailey
