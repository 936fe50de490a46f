#include "orchestrator/promote/gate/duty_rules.hpp"

#include "orchestrator/model/standing.hpp"

#include <optional>
#include <utility>

namespace bailey {

namespace {

struct Part {
  const std::set<std::string>* people;
  const char* does;
};

/// Who does in this change what the holding names; nothing when it names something else.
std::optional<Part> part_of(const Holding& holding, const Environment& environment,
                            const PeopleOfChange& people) {
  if (holding.what == "author") {
    if (holding.where != environment.project) return std::nullopt;
    return Part{&people.authors, "wrote it"};
  }
  if (holding.where != environment.name &&
      holding.where != to_string(environment.environment_class)) {
    return std::nullopt;
  }
  if (holding.what == to_string(Power::Request)) return Part{&people.requester, "asks for it"};
  if (holding.what == to_string(Power::Approve)) return Part{&people.approvers, "approves it"};
  if (holding.what == to_string(Power::Deploy)) return Part{&people.executor, "executes it"};
  return std::nullopt;
}

}  // namespace

std::vector<BrokenDuty> broken_duties(const Bundle& bundle, const Environment& environment,
                                      const PeopleOfChange& people) {
  std::vector<BrokenDuty> broken;
  for (const auto& duty : bundle.duties.exclusive) {
    std::vector<std::string> does;
    std::optional<std::set<std::string>> all;
    for (const auto& holding : duty.holds) {
      const auto part = part_of(holding, environment, people);
      if (!part) {
        all = std::set<std::string>();
        break;
      }
      does.emplace_back(part->does);
      if (!all) {
        all = *part->people;
        continue;
      }
      std::erase_if(*all, [&](const std::string& name) { return !part->people->contains(name); });
    }
    if (!all) continue;
    for (const auto& person : *all) broken.push_back({duty.name, person, does});
  }
  return broken;
}

PeopleOfChange people_of_change(const Directory& directory, const Change& change,
                                const std::vector<Author>& authors, std::set<std::string> agreed) {
  PeopleOfChange people;
  people.authors = involved_people(directory, authors, Subject{}, {});
  people.requester = people_behind(directory, change.requester);
  if (change.executor) people.executor = people_behind(directory, *change.executor);
  people.approvers = std::move(agreed);
  // Nobody has no name.
  for (auto* each : {&people.authors, &people.requester, &people.executor}) each->erase("");
  return people;
}

}  // namespace bailey
