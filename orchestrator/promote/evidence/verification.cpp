#include "orchestrator/promote/evidence/verification.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/model/json_reader.hpp"

#include <algorithm>

namespace bailey {

namespace {

Result<VerificationResult> result_from_json(const Json& value) {
  VerificationResult result;
  JsonReader reader(value, "a verification result");
  reader.read("command", result.command);
  reader.read("exitCode", result.exit_code);
  reader.read("detail", result.detail);
  if (auto read = reader.finish(); !read) return fail(std::move(read.error()));
  return result;
}

}  // namespace

bool VerificationStatement::passed() const noexcept {
  return std::all_of(results.begin(), results.end(),
                     [](const VerificationResult& result) { return result.exit_code == 0; });
}

Statement to_statement(const VerificationStatement& verification) {
  Json results = Json::array();
  for (const auto& result : verification.results) {
    results.push_back(
        {{"command", result.command}, {"exitCode", result.exit_code}, {"detail", result.detail}});
  }
  std::vector<StatementSubject> subjects;
  for (const auto& digest : verification.digests) subjects.push_back({"introduced", digest});
  subjects.push_back({"plan", verification.plan_digest});
  return {std::move(subjects), std::string(kVerificationPredicate),
          Json{{"environment",
                {{"name", verification.environment}, {"uid", verification.environment_uid.str()}}},
               {"change", verification.change.str()},
               {"plan", verification.plan_digest},
               {"verifiedAt", verification.verified_at},
               {"passed", verification.passed()},
               {"results", std::move(results)},
               {"digests", verification.digests}}};
}

Result<VerificationStatement> verification_from_statement(const Statement& statement) {
  if (statement.predicate_type != kVerificationPredicate) {
    return fail(Error(ErrorKind::Protocol, "the statement is no verification")
                    .with_code("statement.wrong-predicate"));
  }
  VerificationStatement out;
  bool passed = false;
  JsonReader reader(statement.predicate, "a verification");
  JsonReader environment(reader.at("environment"), "environment");
  environment.read("name", out.environment);
  environment.read("uid", out.environment_uid);
  if (auto read = environment.finish(); !read) reader.adopt("environment", std::move(read.error()));
  reader.read("change", out.change);
  reader.read("plan", out.plan_digest);
  reader.read("verifiedAt", out.verified_at);
  reader.read("passed", passed);
  reader.read_list("results", out.results, result_from_json);
  reader.read("digests", out.digests);
  if (!reader.failed() && passed != out.passed()) {
    reader.refuse("passed", "is not what the results say");
  }
  if (auto read = reader.finish(); !read) return fail(std::move(read.error()));
  if (to_statement(out).subjects != statement.subjects) {
    return fail(Error(ErrorKind::Protocol, "the statement is about other things than it verified")
                    .with_code("statement.wrong-subjects"));
  }
  return out;
}

}  // namespace bailey
