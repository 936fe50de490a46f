#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/declare/duties/report.hpp"

#include <fmt/format.h>

#include <map>

namespace bailey::duties {

namespace {

/// What flows on, from environment to environment. A step names the flow by its place.
struct Leg {
  const Flow* flow = nullptr;
  std::optional<SourceRange> place;
};

/// What is written in a lower class and read in a higher one carries the trust of those who wrote
/// it (Biba's integrity). Trusted in an environment is who may change it: whoever holds, or can
/// get, `deploy`, `operate` or `administer` there.
class FlowCheck {
 public:
  FlowCheck(Standings& standings, Diagnostics& diagnostics)
      : standings_(standings), diagnostics_(diagnostics) {}

  void run() {
    collect();
    for (const auto& [name, environment] : standings_.bundle().environments) {
      if (into_.contains(name)) follow(environment);
    }
  }

 private:
  void collect() {
    const auto& bundle = standings_.bundle();
    std::vector<std::optional<SourceRange>> places;
    for (const auto& document : bundle.documents) {
      if (document.at("kind") != "Duties") continue;
      const auto count = member(document.at("spec"), "flows").size();
      for (std::size_t i = 0; i < count; ++i) {
        places.push_back(standings_.places().at("Duties", document.at("name"),
                                                fmt::format("/flows/{}/from", i)));
      }
    }
    places.resize(bundle.duties.flows.size());
    for (std::size_t i = 0; i < places.size(); ++i) {
      const auto& flow = bundle.duties.flows[i];
      into_[flow.to].push_back({&flow, places[i]});
    }
  }

  // Back along the flows, the shortest way first: what flows into a source flows on with it.
  void follow(const Environment& to) {
    std::map<std::string, std::vector<const Leg*>> ways{{to.name, {}}};
    std::vector<std::string> open{to.name};
    for (std::size_t i = 0; i < open.size(); ++i) {
      const auto legs = into_.find(open[i]);
      if (legs == into_.end()) continue;
      for (const auto& leg : legs->second) {
        if (ways.contains(leg.flow->from)) continue;
        auto way = ways[open[i]];
        way.insert(way.begin(), &leg);
        ways.emplace(leg.flow->from, std::move(way));
        open.push_back(leg.flow->from);
      }
    }
    for (const auto& source : open) {
      const auto* from = standings_.bundle().environment(source);
      if (from == nullptr || from->environment_class >= to.environment_class) continue;
      check(*from, to, ways.at(source));
    }
  }

  void check(const Environment& from, const Environment& to, const std::vector<const Leg*>& way) {
    const auto writers = standings_.writers(from, Ways::Any);
    const auto trusted =
        standings_.in(to, {Power::Deploy, Power::Operate, Power::Administer}, Ways::Any);
    Nodes people;
    for (const auto& [person, index] : writers.reach.people) {
      if (trusted.reach.of(person) == kNone) people.push_back(person);
    }
    const bool production = to.environment_class == EnvironmentClass::Production;
    report_paths(
        standings_, diagnostics_, {&writers}, people,
        [&](const std::string& person, const std::string& others) {
          Diagnostic finding{
              Severity::Error,
              production ? "duty.tester-alters-production" : "duty.untrusted-flow",
              production ? "A test account can alter what production reads"
                         : "Written by people who are not trusted there",
              fmt::format("{} reads {} from {}, and {} can change {} without being trusted in {}: "
                          "nobody there let {} in.{}",
                          to.name, way.front()->flow->what, from.name, person, from.name, to.name,
                          person, others),
              way.front()->place,
              {},
              {}};
          for (const auto* leg : way) {
            finding.path.push_back(fmt::format(
                "What {} holds flows into {}: {}{}.", leg->flow->from, leg->flow->to,
                leg->flow->what,
                leg->place ? fmt::format(" ({}:{})", leg->place->file, leg->place->line) : ""));
          }
          return finding;
        });
  }

  Standings& standings_;
  Diagnostics& diagnostics_;
  std::map<std::string, std::vector<Leg>> into_;
};

}  // namespace

void check_flows(Standings& standings, Diagnostics& diagnostics) {
  FlowCheck(standings, diagnostics).run();
}

}  // namespace bailey::duties
