#include "orchestrator/serve/cli/git_authors.hpp"

#include "orchestrator/base/process.hpp"
#include "orchestrator/base/text.hpp"

#include <algorithm>
#include <set>

namespace bailey {

namespace {

namespace fs = std::filesystem;

std::optional<std::string> git(const fs::path& folder, std::vector<std::string> arguments) {
  Command command;
  command.arguments = {"git", "-C", folder.string()};
  command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
  command.inherit_environment = true;
  const auto result = run_process(command);
  if (!result || result->exit_code != 0) return std::nullopt;
  return std::string(trim(result->output));
}

bool is_commit(const std::string& text) {
  return (text.size() == 40 || text.size() == 64) &&
         text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

BundleOrigin find_origin(const std::vector<fs::path>& paths, const std::string& since) {
  BundleOrigin origin;
  std::set<std::string> authors;
  for (const auto& path : paths) {
    std::error_code ignored;
    const auto absolute = fs::absolute(path, ignored);
    const auto folder = fs::is_directory(absolute) ? absolute : absolute.parent_path();
    const auto head = git(folder, {"rev-parse", "HEAD"});
    if (!head) continue;
    origin.commit = *head;
    const bool known = is_commit(since) && git(folder, {"cat-file", "-e", since + "^{commit}"});
    const auto log =
        git(folder, {"log", "--format=%ae%n%ce%n%(trailers:key=Co-authored-by,valueonly)",
                     known ? since + "..HEAD" : "HEAD", "--", absolute.string()});
    if (!log) continue;
    for (const auto& line : split(*log, '\n')) {
      // A trailer reads "Name <address>".
      const auto open = line.rfind('<');
      auto address = open == std::string::npos ? line : line.substr(open + 1);
      address.erase(std::remove(address.begin(), address.end(), '>'), address.end());
      const auto text = trim(address);
      if (!text.empty()) authors.insert(std::string(text));
    }
  }
  origin.authors.assign(authors.begin(), authors.end());
  return origin;
}

}  // namespace bailey
