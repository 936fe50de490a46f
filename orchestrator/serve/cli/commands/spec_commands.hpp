#pragma once

#include "orchestrator/serve/cli/context.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace bailey {

using Paths = std::vector<std::filesystem::path>;

/// `validate PATH...`: offline; all findings. 0 without errors, 1 with.
[[nodiscard]] int validate(const Context& context, const Paths& paths);
/// `duties check PATH...`: offline; proves that the duties are separated, or prints the shortest
/// way round them. 0 when they are, 4 when they are not, 1 when the specs are invalid.
[[nodiscard]] int check_duties(const Context& context, const Paths& paths);
/// `schema`: the JSON Schema of the spec format, for editors.
[[nodiscard]] int print_schema(const Context& context);

/// `init PATH...`: gives a new server its first bundle.
[[nodiscard]] int init(const Context& context, const Paths& paths);

struct PlanCommand {
  Paths paths;
  std::string environment;
  bool detailed_exit_code = false;
  std::vector<std::string> targets = {};  ///< `environment/resource`: only these.
};
[[nodiscard]] int plan(const Context& context, const PlanCommand& command);

struct ApplyCommand {
  Paths paths;
  std::string environment;
  bool wait = false;
  std::vector<std::string> targets = {};
};
[[nodiscard]] int apply(const Context& context, const ApplyCommand& command);

}  // namespace bailey
