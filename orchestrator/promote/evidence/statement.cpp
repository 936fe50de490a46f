#include "orchestrator/promote/evidence/statement.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/json.hpp"

namespace bailey {

namespace {

constexpr std::string_view kAlgorithm = "sha256:";

tl::unexpected<Error> malformed(std::string why) {
  return fail(Error(ErrorKind::Protocol, "not an in-toto statement: " + std::move(why))
                  .with_code("statement.malformed"));
}

// What is no digest stays visible as no digest: reading the statement back refuses it.
Json digest_set(const std::string& digest) {
  if (!is_digest(digest)) return Json::object();
  return {{"sha256", digest.substr(kAlgorithm.size())}};
}

}  // namespace

Json to_json(const Statement& statement) {
  Json subjects = Json::array();
  for (const auto& subject : statement.subjects) {
    subjects.push_back({{"name", subject.name}, {"digest", digest_set(subject.digest)}});
  }
  return {{"_type", kStatementType},
          {"subject", std::move(subjects)},
          {"predicateType", statement.predicate_type},
          {"predicate", statement.predicate}};
}

Result<Statement> statement_from_json(const Json& value) {
  if (string_member(value, "_type") != kStatementType) return malformed("its type is not v1");
  Statement statement;
  statement.predicate_type = string_member(value, "predicateType");
  if (statement.predicate_type.empty()) return malformed("the predicate type is missing");
  statement.predicate = member(value, "predicate");
  if (!statement.predicate.is_object()) return malformed("the predicate is no object");
  const auto& subjects = member(value, "subject");
  if (!subjects.is_array() || subjects.empty()) return malformed("there is no subject");
  for (const auto& item : subjects) {
    StatementSubject subject{
        string_member(item, "name"),
        std::string(kAlgorithm) + string_member(member(item, "digest"), "sha256")};
    if (!is_digest(subject.digest)) return malformed("a subject has no SHA-256 digest");
    statement.subjects.push_back(std::move(subject));
  }
  return statement;
}

Result<Statement> parse_statement(std::string_view payload) {
  const auto value = parse_json(payload);
  if (!value) return malformed(value.error().message());
  return statement_from_json(*value);
}

std::string payload_of(const Statement& statement) {
  return canonical(to_json(statement));
}

}  // namespace bailey
