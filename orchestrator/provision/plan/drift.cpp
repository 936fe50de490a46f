#include "orchestrator/provision/plan/drift.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/provision/plan/differ.hpp"

#include <algorithm>
#include <tuple>

namespace bailey {

namespace {

void add(std::vector<DriftFinding>& findings, DriftFinding finding) {
  identify(finding);
  findings.push_back(std::move(finding));
}

DriftFinding about(DriftKind kind, const ResourceState& state) {
  DriftFinding finding;
  finding.kind = kind;
  finding.address = state.address.str();
  finding.type = state.type;
  finding.provider_id = state.provider_id;
  return finding;
}

DriftFinding about(DriftKind kind, const Observed& item) {
  DriftFinding finding;
  finding.kind = kind;
  if (kind == DriftKind::Unrecorded) finding.address = item.marker->address.str();
  finding.type = item.type;
  finding.provider_id = item.provider_id;
  finding.name = item.name;
  return finding;
}

void changed_fields(const ResourceState& state, const Observed& observed,
                    const ResourceTypeSchema& schema, std::vector<DriftFinding>& findings) {
  for (auto& field : diff_fields(schema, state.inputs, state.inputs, observed.inputs).fields) {
    auto finding = about(DriftKind::Changed, state);
    finding.field = std::move(field.path);
    finding.before = std::move(field.after);  // As the record wants it.
    finding.after = std::move(field.before);
    add(findings, std::move(finding));
  }
}

}  // namespace

std::vector<DriftFinding> find_drift(const Refreshed& refreshed,
                                     const std::vector<ResourceState>& states,
                                     const ProviderSchema& schema) {
  std::vector<DriftFinding> findings;
  for (const auto& state : states) {
    if (refreshed.gone.contains(state.address)) add(findings, about(DriftKind::Gone, state));
    const auto observed = refreshed.observed.find(state.address);
    const auto type = schema.resource_types.find(state.type);
    if (observed == refreshed.observed.end() || type == schema.resource_types.end()) continue;
    changed_fields(state, observed->second, type->second, findings);
  }
  for (const auto& item : refreshed.unrecorded) add(findings, about(DriftKind::Unrecorded, item));
  for (const auto& item : refreshed.unmanaged) add(findings, about(DriftKind::Unmanaged, item));
  for (const auto& item : refreshed.foreign) add(findings, about(DriftKind::Foreign, item));
  std::sort(findings.begin(), findings.end(), [](const auto& left, const auto& right) {
    return std::tie(left.address, left.type, left.provider_id, left.field) <
           std::tie(right.address, right.type, right.provider_id, right.field);
  });
  return findings;
}

void leave_alone(Refreshed& refreshed, const std::vector<ResourceState>& states,
                 const std::vector<DriftFinding>& findings) {
  for (const auto& finding : findings) {
    if (finding.kind != DriftKind::Changed) continue;
    const auto state = std::find_if(states.begin(), states.end(), [&](const auto& each) {
      return each.address.str() == finding.address;
    });
    if (state == states.end()) continue;
    const auto observed = refreshed.observed.find(state->address);
    if (observed == refreshed.observed.end()) continue;
    auto& inputs = observed->second.inputs;
    inputs = with_field(std::move(inputs), finding.field, finding.before);
  }
}

Json with_field(Json inputs, const std::string& path, const Json& value) {
  // A key inside a map may hold dots itself: where the whole path is not a field, its first word
  // is.
  const auto dot = path.find('.');
  if (dot == std::string::npos || inputs.contains(path)) {
    if (value.is_null()) {
      inputs.erase(path);
    } else {
      inputs[path] = value;
    }
    return inputs;
  }
  auto& field = inputs[path.substr(0, dot)];
  if (!field.is_object()) field = Json::object();
  const auto key = path.substr(dot + 1);
  const auto inner = key.substr(0, key.find('.'));
  // Deeper objects are walked; the keys of a map are taken whole.
  const bool deeper = inner != key && field.contains(inner) && field.at(inner).is_object();
  field = deeper ? with_field(std::move(field), key, value) : [&] {
    if (value.is_null()) {
      field.erase(key);
    } else {
      field[key] = value;
    }
    return std::move(field);
  }();
  return inputs;
}

}  // namespace bailey
