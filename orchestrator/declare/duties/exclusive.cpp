#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/declare/duties/report.hpp"

#include <fmt/format.h>

namespace bailey::duties {

namespace {

void check(Standings& standings, Diagnostics& diagnostics, const ExclusiveDuty& duty,
           const std::optional<SourceRange>& where) {
  std::vector<std::shared_ptr<const Standing>> kept;
  std::vector<const Standing*> parts;
  std::vector<std::string> names;
  for (const auto& holding : duty.holds) {
    kept.push_back(standings.holding(holding));
    parts.push_back(kept.back().get());
    names.push_back(to_string(holding));
  }
  const auto controls =
      duty.controls.empty() ? std::string() : fmt::format(" ({})", enumerate(duty.controls));
  report_paths(standings, diagnostics, parts, people_in_all(parts),
               [&](const std::string& person, const std::string& others) {
                 return Diagnostic{Severity::Error,
                                   "duty.exclusive",
                                   "Duties are not separated",
                                   fmt::format("The duty \"{}\"{} lets no person hold {} together, "
                                               "and {} can come to hold {}.{}",
                                               duty.name, controls, enumerate(names), person,
                                               names.size() == 2 ? "both" : "all", others),
                                   where,
                                   {},
                                   {}};
               });
}

}  // namespace

void check_exclusive(Standings& standings, Diagnostics& diagnostics) {
  const auto& bundle = standings.bundle();
  // Duties of several documents follow each other in the order of the documents.
  std::vector<std::optional<SourceRange>> places;
  for (const auto& document : bundle.documents) {
    if (document.at("kind") != "Duties") continue;
    const auto count = member(document.at("spec"), "exclusive").size();
    for (std::size_t i = 0; i < count; ++i) {
      places.push_back(standings.places().at("Duties", document.at("name"),
                                             fmt::format("/exclusive/{}/holds", i)));
    }
  }
  places.resize(bundle.duties.exclusive.size());
  for (std::size_t i = 0; i < places.size(); ++i) {
    check(standings, diagnostics, bundle.duties.exclusive[i], places[i]);
  }
}

}  // namespace bailey::duties
