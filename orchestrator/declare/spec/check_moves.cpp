#include "orchestrator/base/graph.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/declare/spec/workspace.hpp"
#include "orchestrator/model/address.hpp"

#include <fmt/format.h>

#include <map>
#include <set>
#include <tuple>

namespace bailey::spec {

namespace {

std::optional<ResourceAddress> parse(const std::string& local) {
  return ResourceAddress::parse("any/" + local);
}

class MoveCheck {
 public:
  MoveCheck(Workspace& workspace, const Document& document, const Template& of)
      : workspace_(workspace), document_(document), template_(of) {
    for (const auto& move : of.moved) sources_.insert(move.from);
  }

  void run() {
    for (std::size_t i = 0; i < template_.moved.size(); ++i) {
      const auto here = step("/moved", i);
      if (!document_.is_broken(here)) one(template_.moved[i], here);
    }
    no_cycle();
  }

 private:
  void error(const char* code, const char* summary, std::string detail,
             const std::string& pointer) {
    workspace_.report.error(code, summary, std::move(detail), document_.at(pointer));
  }

  void one(const Move& move, const std::string& here) {
    const auto from = parse(move.from);
    const auto to = parse(move.to);
    for (const auto& [end, text, name] :
         {std::tuple(&from, &move.from, "from"), std::tuple(&to, &move.to, "to")}) {
      if (*end) continue;
      error("spec.bad-address", "Bad address",
            fmt::format("\"{}\" is not the name of a resource, nor one with an index such as "
                        "web[0].",
                        *text),
            step(here, name));
    }
    if (!from || !to) return;
    ends(move, *from, *to, here);
    if (const auto [first, fresh] = from_.emplace(move.from, here); !fresh) {
      error("spec.move.twice", "Moved twice",
            fmt::format("\"{}\" is moved somewhere already: it can stand in one place only.",
                        move.from),
            step(here, "from"));
    }
    if (const auto [first, fresh] = to_.emplace(move.to, here); !fresh) {
      error("spec.move.twice", "Moved twice",
            fmt::format("Something else is moved to \"{}\" already.", move.to), step(here, "to"));
    }
  }

  void ends(const Move& move, const ResourceAddress& from, const ResourceAddress& to,
            const std::string& here) {
    if (template_.resources.contains(from.resource) && !from.index &&
        from.resource != to.resource) {
      error(
          "spec.move.still-declared", "Still declared",
          fmt::format("\"{}\" is declared among the resources, so that it is not moved away. Take "
                      "this entry out, or the resource.",
                      move.from),
          step(here, "from"));
    }
    if (to.index && !from.index && from.resource != to.resource) {
      const auto source = template_.resources.find(to.resource);
      if (source != template_.resources.end() && source->second.count.is_null()) {
        error("spec.bad-index", "Bad index",
              fmt::format("\"{}\" has no count, and so no instance [{}].", to.resource, *to.index),
              step(here, "to"));
      }
    }
    // The next link of a chain says where it stands in the end.
    if (template_.resources.contains(to.resource) || sources_.contains(move.to) ||
        sources_.contains(to.resource)) {
      return;
    }
    report_unknown(workspace_, "spec.unknown-resource", "Unknown resource", "resource", to.resource,
                   keys_of(template_.resources), document_.at(step(here, "to")));
  }

  void no_cycle() {
    Digraph graph;
    for (const auto& move : template_.moved) {
      graph.add_node(move.from);
      graph.add_edge(move.from, move.to);
    }
    const auto order = graph.topological_order();
    const auto* cycle = std::get_if<Cycle>(&order);
    if (cycle == nullptr) return;
    auto names = cycle->nodes;
    const auto first = from_.find(names.front());
    names.push_back(names.front());
    error("spec.move.cycle", "Moves in a circle",
          fmt::format("These moves lead back to where they begin: {}.", join(names, " -> ")),
          first == from_.end() ? "/moved" : step(first->second, "from"));
  }

  Workspace& workspace_;
  const Document& document_;
  const Template& template_;
  std::set<std::string> sources_;
  std::map<std::string, std::string> from_;  ///< To the pointer of its first entry.
  std::map<std::string, std::string> to_;
};

}  // namespace

void check_moves(Workspace& workspace, const Document& document, const Template& of) {
  MoveCheck(workspace, document, of).run();
}

}  // namespace bailey::spec
