#include "orchestrator/promote/evidence/review_statement.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/model/json_reader.hpp"

#include <fmt/format.h>

#include <utility>

namespace bailey {

namespace {

std::vector<StatementSubject> subjects_of(const ReviewStatement& review) {
  return {{"grant", review.grant_digest}};
}

}  // namespace

ReviewStatement review_of(const Grant& grant) {
  ReviewStatement review;
  review.grant = grant.id;
  review.grant_digest = grant_digest_of(grant);
  review.change = grant.change;
  review.environment = grant.environment;
  review.environment_uid = grant.environment_uid;
  review.holder = to_string(grant.terms.holder);
  review.incident = grant.terms.incident;
  return review;
}

Statement to_statement(const ReviewStatement& review) {
  return {
      subjects_of(review), std::string(kReviewPredicate),
      Json{{"conclusion", review.conclusion},
           {"grant", {{"id", review.grant.str()}, {"digest", review.grant_digest}}},
           {"change", review.change.str()},
           {"environment", {{"name", review.environment}, {"uid", review.environment_uid.str()}}},
           {"holder", review.holder},
           {"incident", review.incident},
           {"reviewer", review.reviewer},
           {"issuedAt", review.issued_at},
           {"nonce", review.nonce}}};
}

Result<ReviewStatement> review_from_statement(const Statement& statement) {
  if (statement.predicate_type != kReviewPredicate) {
    return fail(Error(ErrorKind::Protocol, "the statement is no review")
                    .with_code("statement.wrong-predicate"));
  }
  ReviewStatement review;
  JsonReader reader(statement.predicate, "a review");
  reader.read("conclusion", review.conclusion);
  JsonReader grant(reader.at("grant"), "grant");
  grant.read("id", review.grant);
  grant.read("digest", review.grant_digest);
  if (auto read = grant.finish(); !read) reader.adopt("grant", std::move(read.error()));
  reader.read("change", review.change);
  JsonReader environment(reader.at("environment"), "environment");
  environment.read("name", review.environment);
  environment.read("uid", review.environment_uid);
  if (auto read = environment.finish(); !read) reader.adopt("environment", std::move(read.error()));
  reader.read("holder", review.holder);
  reader.read("incident", review.incident);
  reader.read("reviewer", review.reviewer);
  reader.read("issuedAt", review.issued_at);
  reader.read("nonce", review.nonce);
  if (auto read = reader.finish(); !read) return fail(std::move(read.error()));
  if (statement.subjects != subjects_of(review)) {
    return fail(Error(ErrorKind::Protocol, "the statement is about other things than it reviews")
                    .with_code("statement.wrong-subjects"));
  }
  return review;
}

Status review_matches(const ReviewStatement& signed_one, const ReviewStatement& expected) {
  const std::pair<bool, const char*> fields[] = {
      {signed_one.grant == expected.grant, "grant"},
      {signed_one.grant_digest == expected.grant_digest, "grant's digest"},
      {signed_one.change == expected.change, "change"},
      {signed_one.environment == expected.environment, "environment name"},
      {signed_one.environment_uid == expected.environment_uid, "environment uid"},
      {signed_one.holder == expected.holder, "holder"},
      {signed_one.incident == expected.incident, "incident"},
      {signed_one.reviewer == expected.reviewer, "reviewer"},
      {signed_one.issued_at == expected.issued_at, "time of issue"},
      {signed_one.nonce == expected.nonce, "nonce"},
  };
  for (const auto& [same, name] : fields) {
    if (same) continue;
    return fail(
        Error(ErrorKind::Refused,
              fmt::format("the {} that was signed is not that of the grant as it stands", name))
            .with_code("review.mismatch"));
  }
  return {};
}

}  // namespace bailey
