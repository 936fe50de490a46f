#include "orchestrator/promote/evidence/receipt_reader.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/model/json_reader.hpp"

namespace bailey {

namespace {

void read_time(JsonReader& reader, const char* name, WallTime& out) {
  reader.read_text(name, out, parse_time);
}

// Reads an inner object with its own reader and takes over what it found wrong.
template <class Read>
void read_object(JsonReader& reader, const char* name, Read read) {
  JsonReader inner(reader.at(name), name);
  read(inner);
  if (auto done = inner.finish(); !done) reader.adopt(name, std::move(done.error()));
}

Result<Author> author_from_json(const Json& value) {
  Author author;
  JsonReader reader(value, "an author");
  reader.read("email", author.email);
  reader.read("person", author.person);
  if (auto done = reader.finish(); !done) return fail(std::move(done.error()));
  return author;
}

Result<Json> any_json(const Json& value) {
  return value;
}

Result<RecordedCondition> condition_from_json(const Json& value) {
  RecordedCondition out;
  std::string detail;
  std::vector<std::string> who;
  JsonReader reader(value, "a condition");
  reader.read("condition", out.condition);
  reader.read("met", out.met);
  reader.read("detail", detail);
  reader.read("who_can_unblock", who);
  if (auto done = reader.finish(); !done) return fail(std::move(done.error()));
  return out;
}

Result<RecordedVerification> verification_from_json(const Json& value) {
  RecordedVerification out;
  std::string change;
  JsonReader reader(value, "a verified item");
  reader.read("environment", out.environment);
  reader.read("digest", out.digest);
  read_time(reader, "since", out.since);
  reader.read("change", change);
  if (auto done = reader.finish(); !done) return fail(std::move(done.error()));
  return out;
}

void read_change(JsonReader& reader, ReadReceipt& out) {
  auto& change = out.change;
  WallTime finished_at;
  reader.read("id", change.id);
  reader.read_word("kind", kChangeKinds, change.kind);
  reader.read("environment", change.environment);
  reader.read("environment_uid", change.environment_uid);
  reader.read_text("class", out.environment_class, parse_environment_class);
  reader.read_text("requester", change.requester, parse_subject);
  reader.read_list("authors", change.authors, author_from_json);
  if (!reader.at("executor").is_null()) {
    reader.read_text("executor", change.executor, parse_subject);
  }
  reader.read("affects", change.affects);
  reader.read("rolls_back_to", change.rolls_back_to);
  reader.read("bundle_digest", change.bundle_digest);
  reader.read("created_at", change.created_at);
  read_time(reader, "executed_at", out.executed_at);
  read_time(reader, "finished_at", finished_at);
}

void read_gate(JsonReader& reader, ReadReceipt& out) {
  read_time(reader, "evaluated_at", out.evaluated_at);
  reader.read("met", out.gate_met);
  reader.read("rejected", out.rejected);
  reader.read_list("conditions", out.conditions, condition_from_json);
  read_object(reader, "inputs", [&](JsonReader& inputs) {
    static_cast<void>(inputs.array("approvals"));
    static_cast<void>(inputs.array("evidence"));
    static_cast<void>(inputs.array("checks"));
    inputs.read_list("verified", out.verified, verification_from_json);
  });
}

void read_log(JsonReader& reader, ReadReceipt& out) {
  if (reader.at("log").is_null()) return;
  read_object(reader, "log", [&](JsonReader& log) {
    ReceiptLog read;
    std::vector<std::string> proof;
    log.read("checkpoint", read.checkpoint);
    log.read("entry", read.entry);
    log.read("index", read.index);
    log.read("proof", proof);
    for (const auto& text : proof) {
      auto hash = from_base64(text);
      if (!hash || hash->size() != 32)
        return log.refuse("proof", "holds something that is no hash");
      read.proof.push_back(*std::move(hash));
    }
    out.log = std::move(read);
  });
}

}  // namespace

Result<ReadReceipt> read_receipt(const Json& value) {
  ReadReceipt out;
  std::string type;
  Json outcome;
  JsonReader reader(value, "a receipt");
  reader.read("type", type);
  if (!reader.failed() && type != kReceiptType) reader.refuse("type", "is not that of a receipt");
  read_object(reader, "change", [&](JsonReader& inner) { read_change(inner, out); });
  if (auto plan = plan_from_json(reader.at("plan"))) {
    out.change.plan = *std::move(plan);
  } else {
    reader.adopt("plan", std::move(plan.error()));
  }
  reader.read("artifacts", out.artifacts);
  reader.read("introduces", out.change.introduces);
  reader.read_list("evidence", out.evidence, any_json);
  read_object(reader, "gate", [&](JsonReader& inner) { read_gate(inner, out); });
  reader.read("policy", out.policy);
  reader.read_list("approvals", out.approvals, any_json);
  reader.read_list("verification", out.verification, any_json);
  reader.read("outcome", outcome);
  read_log(reader, out);
  reader.read("digest", out.digest);
  if (auto done = reader.finish(); !done) return fail(std::move(done.error()));
  return out;
}

}  // namespace bailey
