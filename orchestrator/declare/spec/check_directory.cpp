#include "orchestrator/base/graph.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/declare/spec/formats.hpp"
#include "orchestrator/declare/spec/workspace.hpp"

#include <fmt/format.h>

namespace bailey::spec {

namespace {

using Documents = std::vector<Document*>;

const Document& that_says(const Documents& documents, const std::string& pointer) {
  for (const auto* document : documents) {
    if (document->node(pointer) != nullptr) return *document;
  }
  return *documents.front();
}

void check_group_cycle(Workspace& workspace, const Documents& documents) {
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
  const auto pointer = step("/groups", names.front());
  workspace.report.error("spec.group-cycle", "Group cycle",
                         fmt::format("These groups hold each other: {}.", join(names, " -> ")),
                         that_says(documents, pointer).key_at(pointer));
}

/// What is said once in all of the Directory, whatever its number of documents.
class OwnerCheck {
 public:
  explicit OwnerCheck(Workspace& workspace) : workspace_(workspace) {}

  void run(const Document& document) {
    const auto& directory = workspace_.bundle.directory;
    for (const char* part : {"people", "services", "groups"}) {
      const std::string list = std::string("/") + part;
      for (const auto& entry : member(document.spec, part).items()) {
        const auto& name = entry.key();
        const auto pointer = step(list, name);
        if (!is_first(list, pointer, document)) continue;
        const std::string_view kind = part;
        if (const auto person = directory.people.find(name);
            kind == "people" && person != directory.people.end()) {
          check_keys(document, name, pointer, person->second.keys);
          check_email(document, name, pointer, person->second.email);
        }
        if (const auto service = directory.services.find(name);
            kind == "services" && service != directory.services.end()) {
          check_keys(document, "service:" + name, pointer, service->second.keys);
        }
      }
    }
  }

 private:
  bool is_first(const std::string& list, const std::string& pointer, const Document& document) {
    const auto [found, fresh] = documents_.emplace(pointer, &document);
    if (fresh) return true;
    const auto at = found->second->key_at(pointer);
    workspace_.report.error("spec.duplicate-name", "Duplicate name",
                            fmt::format("The Directory has this name under \"{}\" already, at "
                                        "{}:{}.",
                                        list.substr(1), at.file, at.line),
                            document.key_at(pointer));
    return false;
  }

  // One key that signs for two would let one person count as two.
  void check_keys(const Document& document, const std::string& who, const std::string& pointer,
                  const std::vector<std::string>& keys) {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const auto [found, fresh] = keys_.emplace(ssh_key_identity(keys[i]), who);
      if (fresh) continue;
      workspace_.report.error(
          "spec.shared-key", "Shared key",
          fmt::format("This key belongs to \"{}\" already; each has keys of their own.",
                      found->second),
          document.at(step(step(pointer, "keys"), i)));
    }
  }

  // Authors of commits are recognised by their address: it must mean one person.
  void check_email(const Document& document, const std::string& who, const std::string& pointer,
                   const std::string& email) {
    std::string lower;
    for (const char c : email) {
      lower += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    if (lower.empty()) return;
    const auto [found, fresh] = emails_.emplace(lower, who);
    if (fresh) return;
    workspace_.report.error("spec.shared-email", "Shared email address",
                            fmt::format("This address belongs to \"{}\" already.", found->second),
                            document.at(step(pointer, "email")));
  }

  Workspace& workspace_;
  std::map<std::string, const Document*> documents_;  ///< By pointer: who said it first.
  std::map<std::string, std::string> keys_;
  std::map<std::string, std::string> emails_;
};

}  // namespace

void check_directory(Workspace& workspace) {
  const auto documents = workspace.of_kind("Directory");
  if (documents.empty()) return;
  check_group_cycle(workspace, documents);
  OwnerCheck owners(workspace);
  for (const auto* document : documents) owners.run(*document);
}

}  // namespace bailey::spec
