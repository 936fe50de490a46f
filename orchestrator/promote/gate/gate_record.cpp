#include "orchestrator/base/json.hpp"
#include "orchestrator/promote/gate/gate_evaluator.hpp"

#include <set>

namespace bailey {

namespace {

Json verified_record(const GateInputs& inputs) {
  std::set<std::string> stages;
  for (const auto& condition : inputs.environment.gate) {
    if (const auto* verified = std::get_if<VerifiedCondition>(&condition)) {
      stages.insert(verified->in);
    } else if (const auto* soak = std::get_if<SoakCondition>(&condition)) {
      stages.insert(soak->in);
    }
  }
  Json items = Json::array();
  for (const auto& stage : stages) {
    for (const auto& digest : inputs.change.introduces) {
      const auto item = inputs.verified ? inputs.verified(stage, digest) : std::nullopt;
      if (item) items.push_back(to_json(*item));
    }
  }
  return items;
}

Json evidence_record(const GateInputs& inputs) {
  Json items = Json::array();
  for (const auto& item : inputs.evidence) {
    items.push_back({{"subject", item.subject_digest},
                     {"type", item.predicate_type},
                     {"signer", to_string(item.signer)},
                     {"envelope", item.envelope_digest}});
  }
  return items;
}

Json approvals_record(const GateInputs& inputs) {
  Json items = Json::array();
  for (const auto& approval : inputs.approvals) {
    items.push_back({{"id", approval.id.str()},
                     {"approver", approval.approver},
                     {"decision", to_string(approval.decision)},
                     {"key", approval.key_fingerprint}});
  }
  return items;
}

Json checks_record(const GateInputs& inputs) {
  Json items = Json::array();
  for (const auto& [index, outcome] : inputs.checks) {
    items.push_back({{"condition", index}, {"passed", outcome.passed}, {"detail", outcome.detail}});
  }
  return items;
}

}  // namespace

Json gate_json(const GateResult& result) {
  Json conditions = Json::array();
  for (const auto& each : result.conditions) {
    conditions.push_back({{"condition", each.condition},
                          {"met", each.met},
                          {"detail", each.detail},
                          {"who_can_unblock", each.who_can_unblock}});
  }
  return conditions;
}

Json gate_record(const GateInputs& inputs, const GateResult& result) {
  return {{"evaluated_at", format_time(inputs.now)},
          {"met", result.met},
          {"rejected", result.rejected},
          {"conditions", gate_json(result)},
          {"inputs",
           {{"approvals", approvals_record(inputs)},
            {"evidence", evidence_record(inputs)},
            {"verified", verified_record(inputs)},
            {"checks", checks_record(inputs)}}}};
}

}  // namespace bailey
