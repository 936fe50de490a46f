#include "orchestrator/base/graph.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/declare/spec/formats.hpp"
#include "orchestrator/declare/spec/workspace.hpp"

#include <fmt/format.h>

namespace bailey::spec {

namespace {

void check_group_cycle(Workspace& workspace, const Document& document) {
  Digraph groups;
  for (const auto& [name, members] : workspace.bundle.directory.groups) {
    groups.add_node(name);
    for (const auto& member : members) {
      if (member.kind == SubjectKind::Group) groups.add_edge(name, member.name);
    }
  }
  const auto order = groups.topological_order();
  const auto* cycle = std::get_if<Cycle>(&order);
  if (cycle == nullptr) return;
  auto names = cycle->nodes;
  names.push_back(names.front());
  workspace.report.error("spec.group-cycle", "Group cycle",
                         fmt::format("These groups hold each other: {}.", join(names, " -> ")),
                         document.key_at(step("/groups", names.front())));
}

// One key that signs for two would let one person count as two.
void check_keys(Workspace& workspace, const Document& document) {
  std::map<std::string, std::string> owners;
  const auto check = [&](const std::string& who, const std::string& pointer,
                         const std::vector<std::string>& keys) {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const auto [found, fresh] = owners.emplace(ssh_key_identity(keys[i]), who);
      if (fresh) continue;
      workspace.report.error(
          "spec.shared-key", "Shared key",
          fmt::format("This key belongs to \"{}\" already; each has keys of their own.",
                      found->second),
          document.at(step(step(pointer, "keys"), i)));
    }
  };
  for (const auto& [name, person] : workspace.bundle.directory.people) {
    check(name, step("/people", name), person.keys);
  }
  for (const auto& [name, service] : workspace.bundle.directory.services) {
    check("service:" + name, step("/services", name), service.keys);
  }
}

// Authors of commits are recognised by their address: it must mean one person.
void check_emails(Workspace& workspace, const Document& document) {
  std::map<std::string, std::string> owners;
  for (const auto& [name, person] : workspace.bundle.directory.people) {
    std::string lower;
    for (const char c : person.email) {
      lower += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    if (lower.empty()) continue;
    const auto [found, fresh] = owners.emplace(lower, name);
    if (fresh) continue;
    workspace.report.error("spec.shared-email", "Shared email address",
                           fmt::format("This address belongs to \"{}\" already.", found->second),
                           document.at(step(step("/people", name), "email")));
  }
}

}  // namespace

void check_directory(Workspace& workspace) {
  for (const auto* document : workspace.of_kind("Directory")) {
    check_group_cycle(workspace, *document);
    check_keys(workspace, *document);
    check_emails(workspace, *document);
  }
}

}  // namespace bailey::spec
