#include "orchestrator/serve/cli/views/probe_view.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/serve/cli/table.hpp"

#include <fmt/format.h>

#include <map>
#include <set>
#include <vector>

namespace bailey {

std::string render_probe(const Json& result) {
  struct Cell {
    int refused = 0;
    int attempts = 0;
  };
  std::map<std::string, std::map<std::string, Cell>> matrix;
  std::set<std::string> targets;
  std::string failures;
  for (const auto& attempt : member(result, "attempts")) {
    const auto credential = string_member(attempt, "credential");
    const auto from = credential.substr(0, credential.find(' '));
    const auto target = string_member(attempt, "target");
    const bool refused = string_member(attempt, "outcome") == "refused";
    auto& cell = matrix[from][target];
    ++cell.attempts;
    cell.refused += refused ? 1 : 0;
    targets.insert(target);
    if (refused) continue;
    failures += fmt::format("  {} on {}: {} was {}: {}\n", credential, target,
                            string_member(attempt, "operation"), string_member(attempt, "outcome"),
                            string_member(attempt, "detail"));
  }
  std::vector<std::string> headings{"CREDENTIALS OF"};
  for (const auto& target : targets) headings.push_back("ON " + target);
  std::vector<std::vector<std::string>> rows;
  for (const auto& [from, cells] : matrix) {
    std::vector<std::string> row{from};
    for (const auto& target : targets) {
      const auto cell = cells.find(target);
      row.push_back(cell == cells.end() ? "-"
                                        : fmt::format("{} of {} refused", cell->second.refused,
                                                      cell->second.attempts));
    }
    rows.push_back(std::move(row));
  }
  auto out = render_table(headings, rows);
  if (!failures.empty()) return out + "\nNOT refused:\n" + failures;
  return out + (matrix.empty() ? "No two environments stand: there was nothing to try.\n"
                               : "Every crossing was refused by the provider.\n");
}

}  // namespace bailey
