#include "orchestrator/promote/evidence/receipt.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/promote/evidence/receipt_reader.hpp"

namespace bailey {

namespace {

Json change_part(const ReceiptContent& content) {
  const auto& change = content.change;
  Json authors = Json::array();
  for (const auto& author : change.authors) {
    authors.push_back({{"email", author.email}, {"person", author.person}});
  }
  return {{"id", change.id.str()},
          {"kind", to_string(change.kind)},
          {"environment", change.environment},
          {"environment_uid", change.environment_uid.str()},
          {"class", to_string(content.environment_class)},
          {"requester", to_string(change.requester)},
          {"authors", std::move(authors)},
          {"executor", change.executor ? Json(to_string(*change.executor)) : Json()},
          {"affects", change.affects},
          {"rolls_back_to", change.rolls_back_to},
          {"bundle_digest", change.bundle_digest},
          {"created_at", change.created_at},
          {"executed_at", content.executed_at},
          {"finished_at", content.finished_at}};
}

}  // namespace

Json make_receipt(const ReceiptContent& content) {
  const auto& change = content.change;
  Json receipt{{"type", kReceiptType},
               {"change", change_part(content)},
               {"plan", to_json(change.plan)},
               {"artifacts", change.plan.artifacts},
               {"introduces", change.introduces},
               {"evidence", content.evidence},
               {"gate", content.gate},
               {"policy", content.policy},
               {"approvals", content.approvals},
               {"verification", content.verification},
               {"outcome", content.outcome},
               {"log", nullptr}};
  receipt["digest"] = receipt_digest_of(receipt);
  return receipt;
}

Json with_log(Json receipt, const ReceiptLog& log) {
  Json proof = Json::array();
  for (const auto& hash : log.proof) proof.push_back(base64(hash));
  receipt["log"] = {{"checkpoint", log.checkpoint},
                    {"entry", log.entry},
                    {"index", log.index},
                    {"proof", std::move(proof)}};
  return receipt;
}

std::string receipt_digest_of(const Json& receipt) {
  Json content = receipt;
  if (content.is_object()) {
    content.erase("digest");
    content.erase("log");
  }
  return digest_of(content);
}

Json to_json(const ReceiptReport& report) {
  Json checks = Json::array();
  for (const auto& check : report.checks) {
    checks.push_back({{"name", check.name}, {"ok", check.ok}, {"detail", check.detail}});
  }
  return {{"ok", report.ok},
          {"digest", report.digest},
          {"change", report.change},
          {"environment", report.environment},
          {"checks", std::move(checks)}};
}

}  // namespace bailey
