#include "orchestrator/model/change.hpp"

#include "orchestrator/model/json_reader.hpp"

namespace bailey {

namespace {

using Json = nlohmann::json;

constexpr auto kChangeStates = {
    ChangeState::Planned,   ChangeState::Waiting,   ChangeState::Approved,
    ChangeState::Executing, ChangeState::Verifying, ChangeState::Done,
    ChangeState::Rejected,  ChangeState::Expired,   ChangeState::Superseded,
    ChangeState::Cancelled, ChangeState::Failed,    ChangeState::RolledBack};

Result<Author> author_from_json(const Json& value) {
  Author author;
  JsonReader reader(value, "an author");
  reader.read("email", author.email);
  reader.read("person", author.person);
  if (auto read = reader.finish(); !read) return fail(std::move(read.error()));
  return author;
}

Result<StateStep> step_from_json(const Json& value) {
  StateStep step;
  JsonReader reader(value, "a step of a change");
  reader.read_word("state", kChangeStates, step.state);
  reader.read("at", step.at);
  reader.read("detail", step.detail);
  if (auto read = reader.finish(); !read) return fail(std::move(read.error()));
  return step;
}

void read_executor(JsonReader& reader, std::optional<Subject>& out) {
  if (reader.at("executor").is_null()) return;
  reader.read_text("executor", out, parse_subject);
}

}  // namespace

bool Change::finished() const noexcept {
  switch (state) {
    case ChangeState::Planned:
    case ChangeState::Waiting:
    case ChangeState::Approved:
    case ChangeState::Executing:
    case ChangeState::Verifying:
      return false;
    case ChangeState::Done:
    case ChangeState::Rejected:
    case ChangeState::Expired:
    case ChangeState::Superseded:
    case ChangeState::Cancelled:
    case ChangeState::Failed:
    case ChangeState::RolledBack:
      return true;
  }
  return true;
}

std::string_view to_string(ChangeState state) noexcept {
  switch (state) {
    case ChangeState::Planned:
      return "planned";
    case ChangeState::Waiting:
      return "waiting";
    case ChangeState::Approved:
      return "approved";
    case ChangeState::Executing:
      return "executing";
    case ChangeState::Verifying:
      return "verifying";
    case ChangeState::Done:
      return "done";
    case ChangeState::Rejected:
      return "rejected";
    case ChangeState::Expired:
      return "expired";
    case ChangeState::Superseded:
      return "superseded";
    case ChangeState::Cancelled:
      return "cancelled";
    case ChangeState::Failed:
      return "failed";
    case ChangeState::RolledBack:
      return "rolled-back";
  }
  return "";
}

std::string_view to_string(ChangeKind kind) noexcept {
  switch (kind) {
    case ChangeKind::Apply:
      return "apply";
    case ChangeKind::Promotion:
      return "promotion";
    case ChangeKind::Policy:
      return "policy";
    case ChangeKind::Drift:
      return "drift";
    case ChangeKind::Destroy:
      return "destroy";
    case ChangeKind::Rollback:
      return "rollback";
    case ChangeKind::Grant:
      return "grant";
  }
  return "";
}

std::string_view to_string(Decision decision) noexcept {
  switch (decision) {
    case Decision::Approve:
      return "approve";
    case Decision::Reject:
      return "reject";
    case Decision::Revoke:
      return "revoke";
  }
  return "";
}

Json to_json(const Change& change) {
  Json authors = Json::array();
  for (const auto& author : change.authors) {
    authors.push_back({{"email", author.email}, {"person", author.person}});
  }
  Json history = Json::array();
  for (const auto& step : change.history) {
    history.push_back({{"state", to_string(step.state)}, {"at", step.at}, {"detail", step.detail}});
  }
  return {{"id", change.id.str()},
          {"kind", to_string(change.kind)},
          {"environment", change.environment},
          {"environment_uid", change.environment_uid.str()},
          {"state", to_string(change.state)},
          {"plan", to_json(change.plan)},
          {"bundle_digest", change.bundle_digest},
          {"requester", to_string(change.requester)},
          {"authors", std::move(authors)},
          {"introduces", change.introduces},
          {"rolls_back_to", change.rolls_back_to},
          {"brings", change.brings},
          {"affects", change.affects},
          {"executor", change.executor ? Json(to_string(*change.executor)) : Json()},
          {"created_at", change.created_at},
          {"history", std::move(history)},
          {"outcome", change.outcome},
          {"receipt", change.receipt}};
}

Json to_json(const Approval& approval) {
  return {{"id", approval.id.str()},           {"change", approval.change.str()},
          {"approver", approval.approver},     {"decision", to_string(approval.decision)},
          {"reason", approval.reason},         {"issued_at", approval.issued_at},
          {"expires_at", approval.expires_at}, {"key_fingerprint", approval.key_fingerprint},
          {"envelope", approval.envelope}};
}

Result<Change> change_from_json(const Json& value) {
  Change change;
  JsonReader reader(value, "a change");
  reader.read("id", change.id);
  reader.read_word("kind", kChangeKinds, change.kind);
  reader.read("environment", change.environment);
  reader.read("environment_uid", change.environment_uid);
  reader.read_word("state", kChangeStates, change.state);
  if (auto plan = plan_from_json(reader.at("plan"))) {
    change.plan = *std::move(plan);
  } else {
    reader.adopt("plan", std::move(plan.error()));
  }
  reader.read("bundle_digest", change.bundle_digest);
  reader.read_text("requester", change.requester, parse_subject);
  reader.read_list("authors", change.authors, author_from_json);
  reader.read("introduces", change.introduces);
  reader.read("rolls_back_to", change.rolls_back_to);
  reader.read("brings", change.brings);
  reader.read("affects", change.affects);
  read_executor(reader, change.executor);
  reader.read("created_at", change.created_at);
  reader.read_list("history", change.history, step_from_json);
  reader.read("outcome", change.outcome);
  reader.read("receipt", change.receipt);
  if (auto read = reader.finish(); !read) return fail(std::move(read.error()));
  return change;
}

Result<Approval> approval_from_json(const Json& value) {
  Approval approval;
  JsonReader reader(value, "an approval");
  reader.read("id", approval.id);
  reader.read("change", approval.change);
  reader.read("approver", approval.approver);
  reader.read_word("decision", kDecisions, approval.decision);
  reader.read("reason", approval.reason);
  reader.read("issued_at", approval.issued_at);
  reader.read("expires_at", approval.expires_at);
  reader.read("key_fingerprint", approval.key_fingerprint);
  reader.read("envelope", approval.envelope);
  if (auto read = reader.finish(); !read) return fail(std::move(read.error()));
  return approval;
}

}  // namespace bailey
