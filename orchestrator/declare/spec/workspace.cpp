#include "orchestrator/declare/spec/workspace.hpp"

#include "orchestrator/base/text.hpp"

#include <fmt/format.h>

namespace bailey::spec {

Document* Workspace::find(const std::string& kind, const std::string& name) {
  const auto names = named.find(kind);
  if (names == named.end()) return nullptr;
  const auto found = names->second.find(name);
  return found == names->second.end() ? nullptr : found->second;
}

std::vector<Document*> Workspace::of_kind(const std::string& kind) {
  std::vector<Document*> out;
  for (auto& document : documents) {
    if (document.kind->kind == kind) out.push_back(&document);
  }
  return out;
}

std::vector<std::string> Workspace::names_of(const std::string& kind) const {
  const auto names = named.find(kind);
  return names == named.end() ? std::vector<std::string>() : keys_of(names->second);
}

const ValueTable& Workspace::table_of(const ResourceTypeSchema& type) {
  const auto found = tables_.find(&type);
  if (found != tables_.end()) return found->second;
  return tables_.emplace(&type, resource_table(type)).first->second;
}

void report_unknown(Workspace& workspace, const char* code, const char* summary, const char* what,
                    const std::string& name, const std::vector<std::string>& candidates,
                    SourceRange where) {
  if (workspace.incomplete) return;
  const auto known = candidates.empty() || candidates.size() > 8
                         ? std::string()
                         : fmt::format(" Known {} {}.", candidates.size() == 1 ? "is" : "are",
                                       enumerate(candidates));
  workspace.report.error(code, summary,
                         fmt::format("There is no {} \"{}\".{}", what, name.substr(0, 80), known),
                         std::move(where), nearest(name, candidates).value_or(""));
}

std::map<std::string, nlohmann::json> parameter_values(const Template& of,
                                                       const Environment& environment) {
  std::map<std::string, nlohmann::json> values;
  for (const auto& [name, parameter] : of.parameters) {
    if (parameter.default_value) values[name] = *parameter.default_value;
  }
  for (const auto& [name, value] : environment.parameters) {
    if (of.parameters.contains(name)) values[name] = value;
  }
  return values;
}

bool is_before(const Project& project, const std::string& before, const std::string& stage) {
  std::set<std::string> seen;
  std::vector<std::string> open{stage};
  while (!open.empty()) {
    const auto here = std::move(open.back());
    open.pop_back();
    const auto after = project.after.find(here);
    if (after == project.after.end()) continue;
    for (const auto& each : after->second) {
      if (each == before) return true;
      if (seen.insert(each).second) open.push_back(each);
    }
  }
  return false;
}

}  // namespace bailey::spec
