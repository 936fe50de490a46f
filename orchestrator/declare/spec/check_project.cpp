#include "orchestrator/base/graph.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/declare/spec/workspace.hpp"

#include <fmt/format.h>

namespace bailey::spec {

namespace {

void check_stage(Workspace& workspace, const Document& document, const std::string& stage,
                 const SourceRange& where) {
  const auto* environment = workspace.bundle.environment(stage);
  if (environment == nullptr) return;
  if (!environment->project.empty() && environment->project != document.name) {
    workspace.report.error("spec.wrong-project", "Wrong project",
                           fmt::format("The environment \"{}\" belongs to the project \"{}\".",
                                       stage, environment->project),
                           where);
  }
  if (environment->environment_class == EnvironmentClass::Sandbox) {
    workspace.report.error("spec.sandbox-stage", "A sandbox is no stage",
                           "Nothing is promoted out of a sandbox.", where);
  }
}

void check_order(Workspace& workspace, const Document& document, const Json& stages) {
  Digraph order;
  for (const auto& [stage, value] : stages.items()) {
    order.add_node(stage);
    const auto before = strings_member(value, "after");
    for (std::size_t i = 0; i < before.size(); ++i) {
      if (stages.contains(before[i])) {
        order.add_edge(stage, before[i]);
      } else if (workspace.find("Environment", before[i]) != nullptr) {
        report_unknown(
            workspace, "spec.unknown-stage", "Unknown stage", "stage", before[i],
            [&] {
              std::vector<std::string> names;
              for (const auto& entry : stages.items()) names.push_back(entry.key());
              return names;
            }(),
            document.at(step(step(step("/stages", stage), "after"), i)));
      }
    }
  }
  const auto sorted = order.topological_order();
  const auto* cycle = std::get_if<Cycle>(&sorted);
  if (cycle == nullptr) return;
  auto names = cycle->nodes;
  names.push_back(names.front());
  workspace.report.error(
      "spec.stage-cycle", "Stage cycle",
      fmt::format("These stages come after each other: {}.", join(names, " -> ")),
      document.key_at(step("/stages", names.front())));
}

}  // namespace

void check_projects(Workspace& workspace) {
  for (const auto* document : workspace.of_kind("Project")) {
    const auto& stages = member(document->spec, "stages");
    if (stages.is_array()) {
      for (std::size_t i = 0; i < stages.size(); ++i) {
        if (!stages[i].is_string()) continue;
        check_stage(workspace, *document, stages[i].get<std::string>(),
                    document->at(step("/stages", i)));
      }
    } else if (stages.is_object()) {
      for (const auto& [stage, value] : stages.items()) {
        check_stage(workspace, *document, stage, document->key_at(step("/stages", stage)));
      }
      check_order(workspace, *document, stages);
    }
  }
}

}  // namespace bailey::spec
