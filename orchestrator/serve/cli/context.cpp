#include "orchestrator/serve/cli/context.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/serve/cli/terminal.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <iostream>
#include <unistd.h>

namespace bailey {

void Context::print(const std::string& text) const {
  if (json_) return;
  const auto shown = printable(text);
  std::fwrite(shown.data(), 1, shown.size(), stdout);
  std::fflush(stdout);
}

void Context::print_json(const nlohmann::json& value) const {
  if (!json_) return;
  const auto text = pretty(value);
  std::fwrite(text.data(), 1, text.size(), stdout);
}

void Context::note(const std::string& text) const {
  std::fprintf(stderr, "%s\n", printable(text).c_str());
}

int Context::fail_with(const Error& error) const {
  print_json({{"error",
               {{"kind", to_string(error.kind())},
                {"message", error.message()},
                {"code", error.code()},
                {"hint", error.hint()},
                {"frames", error.frames()}}}});
  note("error: " + error.render());
  return exit_code_of(error.kind());
}

bool confirmed(const std::string& question) {
  if (!is_terminal(STDIN_FILENO)) return false;
  std::fprintf(stderr, "%s [y/N] ", question.c_str());
  std::string answer;
  return std::getline(std::cin, answer) && (answer == "y" || answer == "yes");
}

}  // namespace bailey
