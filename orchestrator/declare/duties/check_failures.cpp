#include "orchestrator/base/text.hpp"
#include "orchestrator/declare/duties/report.hpp"
#include "orchestrator/declare/duties/satisfiability.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace bailey::duties {

namespace {

constexpr const char* kAuthor = "duty.author-controls-production";
constexpr const char* kTester = "duty.tester-alters-production";
constexpr const char* kOperator = "duty.operator-passes-approval";

const std::set<Power>& hands_on() {
  static const std::set<Power> kPowers{Power::Deploy, Power::Operate, Power::Administer};
  return kPowers;
}

bool is_protected(const Environment& environment) {
  return environment.environment_class >= EnvironmentClass::Staging;
}

class FailureCheck {
 public:
  FailureCheck(Standings& standings, Diagnostics& diagnostics)
      : standings_(standings), diagnostics_(diagnostics) {}

  void run() {
    for (const auto& [name, environment] : standings_.bundle().environments) {
      if (environment.environment_class == EnvironmentClass::Production) {
        author_in_control(environment);
        without_key(environment);
      }
      if (!is_protected(environment)) continue;
      signs_and_acts(environment);
      reviews_itself(environment);
    }
    shared_credentials();
  }

 private:
  [[nodiscard]] std::optional<SourceRange> at(const Environment& environment,
                                              const std::string& pointer) const {
    return standings_.places().at("Environment", environment.name, pointer);
  }

  /// Who writes the code holds the keys of production: one person is enough to change both.
  void author_in_control(const Environment& environment) {
    const auto authors = standings_.authors(environment.project);
    if (authors->reach.people.empty()) return;
    const auto control = standings_.in(environment, hands_on(), Ways::Standing);
    report_paths(standings_, diagnostics_, {authors.get(), &control},
                 people_in_all({authors.get(), &control}),
                 [&](const std::string& person, const std::string& others) {
                   return Diagnostic{
                       Severity::Error,
                       kAuthor,
                       "An author controls production",
                       fmt::format("{} writes what {} runs and, with no one else's help, controls "
                                   "{} as well. One person, or one stolen account, is enough to "
                                   "change both. Take one of the two away, or give it on request "
                                   "(\"grantable\").{}",
                                   person, environment.name, environment.name, others),
                       standings_.places().key_at("Environment", environment.name, "/bindings"),
                       {},
                       {}};
                 });
  }

  /// Who has no key gets tokens from an administrator, who can keep one: two people in one name.
  void without_key(const Environment& environment) {
    const auto& directory = standings_.bundle().directory;
    const auto& graph = standings_.graph();
    std::set<std::string> keyless;
    for (const auto power : {Power::Request, Power::Deploy, Power::Operate}) {
      for (const auto node : *standings_.bound(environment, power)) {
        const auto& subject = graph.subject(node);
        const bool has_key = graph.is_person(node)
                                 ? graph.has_key(node)
                                 : !directory.services.at(subject.name).keys.empty();
        if (!has_key) keyless.insert(to_string(subject));
      }
    }
    if (keyless.empty()) return;
    std::vector<std::string> names(keyless.begin(), keyless.end());
    const auto count = names.size();
    if (count > 5) {
      names.resize(5);
      names.push_back(fmt::format("{} more", count - 5));
    }
    diagnostics_.add({Severity::Warning,
                      "duty.token-in-anothers-name",
                      "An administrator can act in another's name",
                      fmt::format("{} {} no key and can act in {}: administrators make the tokens "
                                  "by which they log in, and could use one themselves. Give them "
                                  "keys.",
                                  enumerate(names), count == 1 ? "has" : "have", environment.name),
                      standings_.places().key_at("Environment", environment.name, "/bindings"),
                      {},
                      {}});
  }

  /// People whose one signature is all that the gate asks for.
  [[nodiscard]] Nodes who_pass_alone(const Environment& environment) {
    std::optional<Nodes> alone;
    for (const auto& condition : environment.gate) {
      const auto* approvals = std::get_if<ApprovalsCondition>(&condition);
      if (approvals == nullptr) continue;
      if (approvals->rules.size() != 1 || approvals->rules.front().count != 1) return {};
      auto eligible = eligible_for(standings_, environment, approvals->rules.front());
      alone = alone ? common(*alone, eligible) : std::move(eligible);
    }
    return alone.value_or(Nodes());
  }

  /// Who acts in an environment lets the changes in: the queue that should hold them is their own.
  void signs_and_acts(const Environment& environment) {
    const auto approve = standings_.in(environment, {Power::Approve}, Ways::Standing);
    const auto act = standings_.in(environment, {Power::Deploy, Power::Operate}, Ways::Any);
    auto people = common(who_pass_alone(environment), people_of(act.reach));
    const auto tell = [&](const Nodes& whom, const std::string& how, const char* pointer) {
      report_paths(standings_, diagnostics_, {&approve, &act}, whom,
                   [&](const std::string& person, const std::string& others) {
                     return Diagnostic{
                         Severity::Error,
                         kOperator,
                         "Operations can pass the approval queue",
                         fmt::format("{} acts in {} and approves what goes into it: "
                                     "{} Let others approve.{}",
                                     person, environment.name, how, others),
                         standings_.places().key_at("Environment", environment.name, pointer),
                         {},
                         {}};
                   });
    };
    tell(people, "the gate asks for one signature, and theirs is enough.", "/gate");
    if (environment.execute != Execution::ByOperator) return;
    const auto deploy = standings_.bound(environment, Power::Deploy);
    Nodes executors;
    for (const auto node : *deploy) {
      const auto behind = standings_.graph().behind(node);
      executors.insert(executors.end(), behind->begin(), behind->end());
    }
    std::sort(executors.begin(), executors.end());
    executors.erase(std::unique(executors.begin(), executors.end()), executors.end());
    Nodes both;
    for (const auto person : common(executors, *standings_.approvers(environment))) {
      if (!holds(people, person)) both.push_back(person);
    }
    tell(both,
         "operators execute its changes (\"execute: by-operator\"), and these are the same "
         "people.",
         "/execute");
  }

  /// The emergency road is watched by those who take it.
  void reviews_itself(const Environment& environment) {
    if (!environment.break_glass) return;
    const auto& glass = *environment.break_glass;
    const auto& graph = standings_.graph();
    Nodes breakers;
    for (const auto node : *graph.members(glass.who)) {
      const auto behind = graph.behind(node);
      breakers.insert(breakers.end(), behind->begin(), behind->end());
    }
    std::sort(breakers.begin(), breakers.end());
    breakers.erase(std::unique(breakers.begin(), breakers.end()), breakers.end());
    Nodes reviewers;
    for (const auto node : *graph.members({glass.review.from})) {
      if (graph.is_person(node)) reviewers.push_back(node);
    }
    if (reviewers.empty() || common(reviewers, breakers) != reviewers) return;
    diagnostics_.add(
        {Severity::Error,
         kOperator,
         "Operations can pass the approval queue",
         fmt::format("Whoever breaks the glass of {} passes its gate, and is reviewed by nobody "
                     "but the same people: {}. Let others review.",
                     environment.name, some_names(graph, reviewers)),
         at(environment, "/breakGlass/review/from"),
         {},
         {}});
  }

  /// Whoever may write in the lower environment and is not trusted in the higher one.
  bool tell_writers(const Environment& from, const Environment& to, const std::string& how,
                    const std::optional<SourceRange>& where) {
    const auto writers = standings_.writers(from, Ways::Any);
    const auto trusted = standings_.in(to, hands_on(), Ways::Any);
    Nodes people;
    for (const auto& [person, index] : writers.reach.people) {
      if (trusted.reach.of(person) == kNone) people.push_back(person);
    }
    report_paths(standings_, diagnostics_, {&writers}, people,
                 [&](const std::string& person, const std::string& others) {
                   return Diagnostic{Severity::Error,
                                     kTester,
                                     "A test account can alter what production reads",
                                     fmt::format("{} {}, and {} can change {} without being "
                                                 "trusted in {}.{}",
                                                 to.name, how, person, from.name, to.name, others),
                                     where,
                                     {},
                                     {}};
                 });
    return !people.empty();
  }

  struct Use {
    const Environment* environment;
    const Account* account;
  };

  /// Two accounts with one credential are one account, whatever their classes say: at a cloud and
  /// at a registry. That production shares no account and no repository by name, validation sees
  /// to.
  void shared_credentials() {
    const auto& bundle = standings_.bundle();
    std::map<std::vector<std::string>, std::vector<Use>> uses;
    const auto take = [&](const Environment& environment, const std::string& name) {
      const auto account = bundle.accounts.find(name);
      if (account == bundle.accounts.end()) return;
      const auto& source = account->second.credential;
      std::vector<std::string> credential{account->second.provider, account->second.endpoint,
                                          source.file, source.env, source.cloud};
      credential.insert(credential.end(), source.command.begin(), source.command.end());
      uses[std::move(credential)].push_back({&environment, &account->second});
    };
    for (const auto& [name, environment] : bundle.environments) {
      take(environment, environment.account);
      for (const auto& [slot, used] : environment.repositories) take(environment, used.account);
    }
    for (const auto& [credential, same] : uses) tell_shared(same);
  }

  void tell_shared(const std::vector<Use>& uses) {
    const auto in_production = [](const Use& use) {
      return use.environment->environment_class == EnvironmentClass::Production;
    };
    const auto to = std::find_if(uses.begin(), uses.end(), in_production);
    if (to == uses.end()) return;
    for (const auto& from : uses) {
      if (in_production(from)) continue;
      // One is enough to see it; the others follow when it is mended.
      if (tell_writers(*from.environment, *to->environment,
                       fmt::format("uses the account {}, whose credential is that of {}, which {} "
                                   "uses",
                                   to->account->name, from.account->name, from.environment->name),
                       standings_.places().at("Account", to->account->name, "/credential"))) {
        return;
      }
    }
  }

  Standings& standings_;
  Diagnostics& diagnostics_;
};

}  // namespace

void check_failures(Standings& standings, Diagnostics& diagnostics) {
  FailureCheck(standings, diagnostics).run();
}

}  // namespace bailey::duties
