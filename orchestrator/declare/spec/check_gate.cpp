#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/declare/spec/references.hpp"
#include "orchestrator/declare/spec/workspace.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bailey::spec {

namespace {

/// Whether each slot of the rules can have a person of its own (maximum bipartite matching, by
/// augmenting paths).
class Seats {
 public:
  explicit Seats(std::vector<std::set<std::string>> slots) : slots_(std::move(slots)) {}

  [[nodiscard]] std::size_t filled() {
    std::size_t count = 0;
    for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
      std::set<std::string> seen;
      if (seat(slot, seen)) ++count;
    }
    return count;
  }

 private:
  bool seat(std::size_t slot, std::set<std::string>& seen) {
    for (const auto& person : slots_[slot]) {
      if (!seen.insert(person).second) continue;
      const auto taken = taken_.find(person);
      if (taken != taken_.end() && !seat(taken->second, seen)) continue;
      taken_[person] = slot;
      return true;
    }
    return false;
  }

  std::vector<std::set<std::string>> slots_;
  std::map<std::string, std::size_t> taken_;
};

class GateCheck {
 public:
  GateCheck(Workspace& workspace, const Document& document, const Environment& environment)
      : workspace_(workspace), document_(document), environment_(environment) {
    const auto project = workspace.bundle.projects.find(environment.project);
    if (project != workspace.bundle.projects.end()) project_ = &project->second;
  }

  void run() {
    const auto& verify = member(document_.spec, "verify");
    for (std::size_t i = 0; i < verify.size(); ++i) {
      command(verify[i], step(step("/verify", i), "command"), false);
    }
    conditions(member(document_.spec, "gate"), "/gate");
    conditions(member(member(document_.spec, "rollback"), "gate"), "/rollback/gate");
  }

 private:
  void conditions(const Json& gate, const std::string& here) {
    for (std::size_t i = 0; i < gate.size(); ++i) {
      if (!gate[i].is_object() || gate[i].size() != 1) continue;
      const auto& kind = gate[i].begin().key();
      condition(kind, gate[i].begin().value(), step(step(here, i), kind));
    }
  }

  void condition(const std::string& kind, const Json& value, const std::string& here) {
    if (kind == "verified" || kind == "soak") stage_before(string_member(value, "in"), here);
    if (kind == "check") command(value, step(here, "command"), true);
    if (document_.is_broken(here)) return;
    if (kind == "approvals") approvals(value, here);
    if (kind == "evidence") evidence(value, here);
    if (kind == "window") window(value, here);
  }

  void never_met(std::string detail, const std::string& pointer) {
    workspace_.report.warning("gate.never-met", "Can never be met", std::move(detail),
                              document_.at(pointer));
  }

  void stage_before(const std::string& stage, const std::string& here) {
    const auto pointer = step(here, "in");
    const auto* environment = workspace_.bundle.environment(stage);
    if (environment == nullptr || project_ == nullptr) return;
    const auto* project = workspace_.find("Project", environment_.project);
    if (!project->is_broken("/stages") && !is_before(*project_, stage, environment_.name)) {
      std::vector<std::string> before;
      for (const auto& each : project_->stages) {
        if (is_before(*project_, each, environment_.name)) before.push_back(each);
      }
      workspace_.report.error(
          "spec.not-a-stage-before", "Not a stage before",
          before.empty()
              ? fmt::format("No stage of \"{}\" comes before \"{}\".", project_->name,
                            environment_.name)
              : fmt::format("\"{}\" is no stage before this one; before it {} {}.", stage,
                            before.size() == 1 ? "comes" : "come", enumerate(before)),
          document_.at(pointer), nearest(stage, before).value_or(""));
      return;
    }
    if (!environment->verify.empty()) return;
    const auto* other = workspace_.find("Environment", stage);
    if (other == nullptr || other->is_broken("/verify")) return;
    never_met(fmt::format("\"{}\" says no \"verify\", so nothing is ever verified there.", stage),
              pointer);
  }

  void command(const Json& value, const std::string& pointer, bool check) {
    const auto words = member(value, "command");
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (words[i].is_string()) word(words[i].get<std::string>(), step(pointer, i), i == 0, check);
    }
  }

  void word(const std::string& text, const std::string& pointer, bool first, bool check) {
    const auto scan = scan_references(text);
    for (const auto& fault : scan.faults) {
      workspace_.report.error("spec.bad-reference", "Bad reference", fault.detail,
                              document_.within(pointer, fault.offset, fault.length),
                              fault.suggestion);
    }
    for (const auto& reference : scan.references) {
      const bool known = reference.root == ReferenceRoot::Environment ||
                         (check && reference.root == ReferenceRoot::Change);
      if (known && !first) continue;
      workspace_.report.error(
          "spec.reference-not-allowed", "Reference not allowed",
          first ? "Which program runs is not chosen by a reference."
                : "A command can name \"${environment.name}\", \"${environment.class}\" and, in a "
                  "check, \"${change.id}\".",
          document_.within(pointer, reference.offset, reference.length));
    }
    if (first && scan.references.empty() && scan.faults.empty()) program(text, pointer);
  }

  // A program from elsewhere would not be covered by the bundle's digest.
  void program(const std::string& path, const std::string& pointer) {
    const auto& programs = workspace_.sources.programs;
    if (programs.contains(path)) return;
    workspace_.report.error(
        "spec.missing-program", "Missing program",
        fmt::format("The bundle has no executable file \"{}\". Programs that decide belong to the "
                    "bundle and its digest.",
                    path.substr(0, 80)),
        document_.at(pointer), nearest(path, keys_of(programs)).value_or(""));
  }

  // Who has no key cannot sign, and an author approves nothing of the own project.
  [[nodiscard]] std::set<std::string> able(const Subject& from) const {
    const auto& directory = workspace_.bundle.directory;
    std::set<std::string> authors;
    if (project_ != nullptr) authors = directory.people_in(project_->authors);
    std::set<std::string> people;
    for (const auto& name : directory.people_in({from})) {
      if (!authors.contains(name) && !directory.people.at(name).keys.empty()) people.insert(name);
    }
    return people;
  }

  void approvals(const Json& value, const std::string& here) {
    std::vector<std::set<std::string>> slots;
    for (const auto& rule : member(value, "rules")) {
      const auto from = parse_subject(string_member(rule, "from"));
      if (!from || !workspace_.bundle.directory.has(*from)) return;
      const int count = rule.value("count", 1);
      for (int i = 0; i < count; ++i) slots.push_back(able(*from));
    }
    const auto needed = slots.size();
    const auto filled = Seats(std::move(slots)).filled();
    if (filled == needed) return;
    never_met(fmt::format("{} different people must approve. Of those who are asked, who are no "
                          "authors of the project and have a key, {} can.",
                          needed, filled),
              step(here, "rules"));
  }

  void evidence(const Json& value, const std::string& here) {
    const auto& directory = workspace_.bundle.directory;
    std::vector<Subject> signers;
    for (const auto& text : strings_member(value, "signedBy")) {
      const auto subject = parse_subject(text);
      if (!subject || !directory.has(*subject)) return;
      signers.push_back(*subject);
    }
    for (const auto& signer : directory.expand(signers)) {
      const auto& keys = signer.kind == SubjectKind::Person
                             ? directory.people.at(signer.name).keys
                             : directory.services.at(signer.name).keys;
      if (!keys.empty()) return;
    }
    never_met("None of the signers has a key, so no signature counts.", step(here, "signedBy"));
  }

  void window(const Json& value, const std::string& here) {
    // HH:MM sorts as text.
    if (string_member(value, "from") < string_member(value, "to")) return;
    workspace_.report.error("spec.bad-period", "Bad period",
                            "A window ends on the day on which it begins: \"to\" is later than "
                            "\"from\", at most \"24:00\".",
                            document_.at(step(here, "to")));
  }

  Workspace& workspace_;
  const Document& document_;
  const Environment& environment_;
  const Project* project_ = nullptr;
};

}  // namespace

void check_gates(Workspace& workspace) {
  for (const auto* document : workspace.of_kind("Environment")) {
    const auto found = workspace.bundle.environments.find(document->name);
    if (found == workspace.bundle.environments.end()) continue;
    GateCheck(workspace, *document, found->second).run();
  }
}

}  // namespace bailey::spec
