#include "orchestrator/serve/cli/context.hpp"

#include "orchestrator/base/json.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <iostream>
#include <unistd.h>

namespace bailey {

namespace {

// What comes from a server or a spec never steers the terminal.
std::string plain(std::string text) {
  for (auto& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7F) c = '?';
  }
  return text;
}

}  // namespace

void Context::print(const std::string& text) const {
  if (json_) return;
  const auto shown = plain(text);
  std::fwrite(shown.data(), 1, shown.size(), stdout);
}

void Context::print_json(const nlohmann::json& value) const {
  if (!json_) return;
  const auto text = pretty(value);
  std::fwrite(text.data(), 1, text.size(), stdout);
}

void Context::note(const std::string& text) const {
  std::fprintf(stderr, "%s\n", plain(text).c_str());
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
  if (::isatty(STDIN_FILENO) == 0) return false;
  std::fprintf(stderr, "%s [y/N] ", question.c_str());
  std::string answer;
  return std::getline(std::cin, answer) && (answer == "y" || answer == "yes");
}

bool stderr_is_terminal() {
  return ::isatty(STDERR_FILENO) != 0;
}

}  // namespace bailey
