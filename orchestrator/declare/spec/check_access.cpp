#include "orchestrator/declare/spec/workspace.hpp"
#include "orchestrator/model/grant.hpp"
#include "orchestrator/model/standing.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bailey::spec {

namespace {

using People = std::set<std::string>;

/// Access that is asked for: `grantable` and `breakGlass`. Nobody lets themselves in, so whether
/// enough others are there is told per person who may ask.
class AccessCheck {
 public:
  AccessCheck(Workspace& workspace, const Document& document, const Environment& environment)
      : workspace_(workspace),
        directory_(workspace.bundle.directory),
        document_(document),
        environment_(environment) {}

  void run() {
    for (const auto& [role, grantable] : environment_.grantable) {
      if (!document_.is_broken(step("/grantable", role))) check_grantable(role, grantable);
    }
    if (environment_.break_glass && !document_.is_broken("/breakGlass")) {
      check_break_glass(*environment_.break_glass);
    }
  }

 private:
  [[nodiscard]] People with_keys(const People& people) const {
    People able;
    for (const auto& name : people) {
      const auto person = directory_.people.find(name);
      if (person != directory_.people.end() && !person->second.keys.empty()) able.insert(name);
    }
    return able;
  }

  // How many of them are left for whoever asks and finds the most.
  [[nodiscard]] int most_beside(const People& people, const std::set<Subject>& askers) const {
    std::size_t most = 0;
    for (const auto& asker : askers) {
      const auto behind = people_behind(directory_, asker);
      const auto left = std::count_if(people.begin(), people.end(), [&](const std::string& person) {
        return !behind.contains(person);
      });
      most = std::max(most, static_cast<std::size_t>(left));
    }
    return static_cast<int>(most);
  }

  void never_met(std::string detail, SourceRange where) {
    workspace_.report.warning("gate.never-met", "Can never be met", std::move(detail),
                              std::move(where));
  }

  void check_grantable(const std::string& role, const GrantableRole& grantable) {
    const auto here = step("/grantable", role);
    const auto declared = workspace_.bundle.templates.find(environment_.template_name);
    if (declared == workspace_.bundle.templates.end()) return;
    const auto spec = declared->second.roles.find(role);
    if (spec == declared->second.roles.end()) return;
    const auto given = powers_by_grant(GrantKind::Access, spec->second);
    for (const auto power : spec->second.powers) {
      if (given.contains(power)) continue;
      workspace_.report.warning(
          "spec.power-not-granted", "Power not granted",
          fmt::format("The role \"{}\" has the power \"{}\", which no grant gives: who decides "
                      "about changes, or executes them, is said by bindings.",
                      role, to_string(power)),
          document_.key_at(here));
    }
    const auto approvers =
        with_keys(people_holding(workspace_.bundle, environment_, Power::Approve));
    const auto left = most_beside(approvers, directory_.expand(grantable.to));
    if (left >= grantable.approvals) return;
    never_met(fmt::format("{} others who hold \"approve\" here must agree. Beside who asks, with a "
                          "key, {} can.",
                          grantable.approvals, left),
              document_.key_at(here));
  }

  void check_break_glass(const BreakGlass& glass) {
    std::set<Subject> askers;
    for (const auto& person : directory_.people_in(glass.who)) {
      askers.insert({SubjectKind::Person, person});
    }
    const auto left = most_beside(with_keys(directory_.people_in(glass.who)), askers);
    if (left < glass.approvals) {
      never_met(fmt::format("{} others of those who may break the glass must agree. Beside who "
                            "asks, with a key, {} can.",
                            glass.approvals, left),
                document_.at("/breakGlass/who"));
    }
    const auto reviewers =
        most_beside(with_keys(directory_.people_in({glass.review.from})), askers);
    if (reviewers >= glass.review.count) return;
    never_met(fmt::format("{} people must review it afterwards. Beside who broke the glass, with a "
                          "key, {} can.",
                          glass.review.count, reviewers),
              document_.at("/breakGlass/review/from"));
  }

  Workspace& workspace_;
  const Directory& directory_;
  const Document& document_;
  const Environment& environment_;
};

}  // namespace

void check_access(Workspace& workspace) {
  for (const auto* document : workspace.of_kind("Environment")) {
    const auto* environment = workspace.bundle.environment(document->name);
    if (environment != nullptr) AccessCheck(workspace, *document, *environment).run();
  }
}

}  // namespace bailey::spec
