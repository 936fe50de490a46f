#pragma once

#include "orchestrator/declare/duties/subject_graph.hpp"
#include "orchestrator/declare/spec/bundle_reader.hpp"
#include "orchestrator/model/bundle.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace bailey::duties {

/// In which way a subject comes to hold something. What gives it for a while, on request, is a way
/// as well: a duty is about what people may come to hold.
enum class Way : std::uint8_t {
  Author,         ///< Named by the project.
  Binding,        ///< Bound to a role.
  Owner,          ///< Of the sandbox: every role there.
  Administrator,  ///< Of the organization: `read`, `audit` and `administer` everywhere.
  Grant,          ///< A role on request, where enough others can agree.
  BreakGlass,     ///< Emergency access: `read` and `operate`, where enough others can agree.
  Policy,         ///< One administrator's approval changes what decides: everything everywhere.
};

/// `Standing` leaves out what is given on request, for a while.
enum class Ways : std::uint8_t { Any, Standing };

struct Origin {
  Way way = Way::Binding;
  Node subject = 0;         ///< Whom the spec names.
  std::uint32_t entry = 0;  ///< In the list that names it.
  const Environment* environment = nullptr;
  const Project* project = nullptr;
  const std::string* role = nullptr;
  Power power = Power::Read;
};

/// Who comes to hold something, and why.
struct Standing {
  std::vector<Origin> origins;
  Reach reach;
};

/// What the specs give to whom, whatever the number of groups and services in between.
class Standings {
 public:
  Standings(const Bundle& bundle, const BundlePlaces& places);

  [[nodiscard]] const Bundle& bundle() const noexcept { return bundle_; }
  [[nodiscard]] const BundlePlaces& places() const noexcept { return places_; }
  [[nodiscard]] const SubjectGraph& graph() const noexcept { return graph_; }

  /// Whoever may come to hold it, in any way. Kept for the next questions, as long as what is kept
  /// is no more than a few times the Directory.
  [[nodiscard]] std::shared_ptr<const Standing> holding(const Holding& holding);
  /// Whoever comes to hold one of the powers in an environment, by more than what the
  /// organization's administrators hold everywhere.
  [[nodiscard]] Standing in(const Environment& environment, const std::set<Power>& powers,
                            Ways ways);
  [[nodiscard]] std::shared_ptr<const Standing> authors(const std::string& project);
  /// Whoever can change what an environment runs or holds without asking anybody there: holders of
  /// `deploy`, `operate` and `administer`, and of `request` where the gate asks for no approval.
  [[nodiscard]] Standing writers(const Environment& environment, Ways ways);

  /// People with a key whom the environment's bindings give `approve`.
  [[nodiscard]] std::shared_ptr<const Nodes> approvers(const Environment& environment);
  /// People and services with a power by binding; groups are followed, control is not.
  [[nodiscard]] std::shared_ptr<const Nodes> bound(const Environment& environment, Power power);
  /// The subjects whom bindings give a power, as written.
  [[nodiscard]] std::vector<Subject> bound_subjects(const Environment& environment,
                                                    Power power) const;

  /// How the person comes to hold it: sentences with places, from the person to the power.
  [[nodiscard]] std::vector<std::string> explain(const Standing& standing, Node person) const;
  /// What is the same for everybody who comes to hold it by the same path.
  [[nodiscard]] std::pair<std::uint32_t, std::uint32_t> path_of(const Standing& standing,
                                                                Node person) const;

 private:
  void add(Standing& standing, std::vector<Source>& sources, const Environment& environment,
           const std::set<Power>& powers, Ways ways);
  void add_requests(Standing& standing, std::vector<Source>& sources,
                    const Environment& environment, const std::set<Power>& powers);
  void add_administrators(Standing& standing, std::vector<Source>& sources,
                          const Environment& environment, const std::set<Power>& powers) const;
  void add_subjects(Standing& standing, std::vector<Source>& sources, Origin origin,
                    const std::vector<Subject>& subjects, std::uint32_t cost) const;
  /// Those who can get what `needed` of `agree` other than themselves must agree to.
  void add_asked(Standing& standing, std::vector<Source>& sources, Origin origin,
                 const std::vector<Subject>& subjects, const Nodes& agree, int needed) const;
  [[nodiscard]] std::shared_ptr<const Nodes> with_key(const std::shared_ptr<const Nodes>& nodes);
  void explain_origin(const Origin& origin, Node person, std::vector<std::string>& steps) const;
  [[nodiscard]] std::string in_words(Node node, bool begin) const;
  [[nodiscard]] std::string at(const char* kind, const std::string& name,
                               const std::string& pointer) const;

  const Bundle& bundle_;
  const BundlePlaces& places_;
  SubjectGraph graph_;
  std::map<Holding, std::shared_ptr<const Standing>> holdings_;
  std::size_t kept_ = 0;  ///< Subjects in `holdings_`.
  std::map<const Nodes*, std::shared_ptr<const Nodes>> with_key_;
};

/// "operate@production", and for people: "\"operate\" in production".
[[nodiscard]] std::string to_string(const Holding& holding);

}  // namespace bailey::duties
