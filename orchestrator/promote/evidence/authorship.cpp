#include "orchestrator/promote/evidence/authorship.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/base/process.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/model/json_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <optional>

namespace bailey {

namespace {

constexpr char kFieldEnd = '\x1f';
constexpr char kTrailerEnd = '\x1e';
constexpr std::size_t kMaximumOutput = 16U * 1024 * 1024;

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  });
  return out;
}

bool is_commit_id(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

Result<AuthoredCommit> commit_from_json(const Json& value) {
  AuthoredCommit commit;
  JsonReader reader(value, "a commit");
  reader.read("id", commit.id);
  reader.read("authors", commit.authors);
  reader.read("committer", commit.committer);
  if (!reader.failed() && !is_commit_id(commit.id)) reader.refuse("id", "is no commit id");
  if (!reader.failed() && commit.authors.empty()) reader.refuse("authors", "is empty");
  if (auto read = reader.finish(); !read) return fail(std::move(read.error()));
  return commit;
}

/// Runs git in one folder. Nothing of the caller's environment steers it but where programs and the
/// person's own configuration are.
class Git {
 public:
  Git(std::filesystem::path folder, std::stop_token stop)
      : folder_(std::move(folder)), stop_(std::move(stop)) {}

  Result<std::string> run(std::vector<std::string> arguments) const {
    Command command;
    command.arguments = {
        "git", "--no-pager",          "--no-replace-objects", "-c", "log.showSignature=false",
        "-c",  "core.fsmonitor=false"};
    command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
    command.working_directory = folder_;
    command.environment.emplace("GIT_TERMINAL_PROMPT", Secret("0"));
    command.environment.emplace("GIT_OPTIONAL_LOCKS", Secret("0"));
    command.environment.emplace("LC_ALL", Secret("C"));
    for (const char* name : {"PATH", "HOME"}) {
      if (const char* value = std::getenv(name)) command.environment.emplace(name, Secret(value));
    }
    command.max_output = kMaximumOutput;
    auto done = run_process(command, stop_);
    if (!done) return fail(std::move(done.error()));
    if (done->exit_code != 0) {
      return fail(ErrorKind::FailedPrecondition,
                  fmt::format("git {} ended with {}: {}", arguments.front(), done->exit_code,
                              trim(done->errors)));
    }
    if (done->output.size() >= kMaximumOutput) {
      return fail(ErrorKind::FailedPrecondition, "the range holds too many commits to list");
    }
    return std::move(done->output);
  }

  Result<std::string> resolve(std::string_view revision) const {
    auto output = run({"rev-parse", "--verify", "--quiet", "--end-of-options",
                       std::string(revision) + "^{commit}"});
    if (!output) {
      return fail(
          std::move(output.error()).in(fmt::format("looking up the commit \"{}\"", revision)));
    }
    // `--end-of-options` is echoed by some versions of git: the id is the last line.
    const auto lines = split(trim(*output), '\n');
    std::string id(trim(lines.back()));
    if (!is_commit_id(id)) return fail(ErrorKind::Protocol, "git answered something that is no id");
    return id;
  }

 private:
  std::filesystem::path folder_;
  std::stop_token stop_;
};

// `Name <address>`; without an address the whole text stands for somebody whom nobody knows.
std::string address_in(std::string_view trailer) {
  const auto open = trailer.rfind('<');
  const auto close = trailer.rfind('>');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
    return std::string(trim(trailer));
  }
  return std::string(trim(trailer.substr(open + 1, close - open - 1)));
}

std::optional<AuthoredCommit> commit_from_record(std::string_view record) {
  const auto fields = split(record, kFieldEnd);
  // A separator inside a name or address would shift the fields: then nothing is believed.
  if (fields.size() != 4 || !is_commit_id(fields[0]) || fields[1].empty()) return std::nullopt;
  AuthoredCommit commit{fields[0], {fields[1]}, fields[2]};
  for (const auto& trailer : split(fields[3], kTrailerEnd)) {
    auto address = address_in(trailer);
    auto& known = commit.authors;
    if (address.empty() || std::find(known.begin(), known.end(), address) != known.end()) continue;
    known.push_back(std::move(address));
  }
  return commit;
}

Result<std::vector<AuthoredCommit>> commits_between(const Git& git, const std::string& from,
                                                    const std::string& to) {
  const auto output = git.run({"log", "-z", "--no-mailmap", "--no-color", "--no-decorate",
                               "--no-notes", "--no-show-signature",
                               "--format=%H%x1f%ae%x1f%ce%x1f%(trailers:key=Co-authored-by,"
                               "valueonly,unfold,separator=%x1e)",
                               "--end-of-options", from.empty() ? to : from + ".." + to});
  if (!output) return fail(output.error());
  std::vector<AuthoredCommit> commits;
  for (const auto& record : split(*output, '\0')) {
    if (record.empty()) continue;
    auto commit = commit_from_record(record);
    if (!commit) {
      return fail(ErrorKind::Protocol, "git lists a commit whose authors cannot be told");
    }
    commits.push_back(*std::move(commit));
  }
  return commits;
}

// The remote's name without what may be a password in it; the folder's name where there is none.
std::string repository_name(const Git& git, const std::filesystem::path& folder) {
  const auto url = git.run({"config", "--get", "remote.origin.url"});
  std::string name(url ? trim(*url) : std::string_view());
  if (name.empty()) return std::filesystem::absolute(folder).lexically_normal().filename().string();
  const auto scheme = name.find("://");
  const auto from = scheme == std::string::npos ? 0 : scheme + 3;
  const auto at = name.find('@', from);
  if (scheme != std::string::npos && at != std::string::npos && at < name.find('/', from)) {
    name.erase(from, at + 1 - from);
  }
  return name;
}

}  // namespace

std::set<std::string> Authorship::people() const {
  std::set<std::string> addresses;
  for (const auto& commit : commits) {
    for (const auto& author : commit.authors) addresses.insert(lower_case(author));
    if (!commit.committer.empty()) addresses.insert(lower_case(commit.committer));
  }
  return addresses;
}

Statement to_statement(const Authorship& authorship, std::vector<StatementSubject> artifacts) {
  Json commits = Json::array();
  for (const auto& commit : authorship.commits) {
    commits.push_back(
        {{"id", commit.id}, {"authors", commit.authors}, {"committer", commit.committer}});
  }
  return {std::move(artifacts), std::string(kAuthorshipPredicate),
          Json{{"repository", authorship.repository},
               {"from", authorship.from},
               {"to", authorship.to},
               {"commits", std::move(commits)}}};
}

Result<Authorship> authorship_from_statement(const Statement& statement) {
  if (statement.predicate_type != kAuthorshipPredicate) {
    return fail(Error(ErrorKind::Protocol, "the statement tells no authorship")
                    .with_code("statement.wrong-predicate"));
  }
  Authorship authorship;
  JsonReader reader(statement.predicate, "an authorship");
  reader.read("repository", authorship.repository);
  reader.read("from", authorship.from);
  reader.read("to", authorship.to);
  reader.read_list("commits", authorship.commits, commit_from_json);
  if (!reader.failed() && authorship.commits.empty()) reader.refuse("commits", "is empty");
  if (auto read = reader.finish(); !read) return fail(std::move(read.error()));
  return authorship;
}

Result<Authorship> collect_authorship(const std::filesystem::path& folder, std::string_view from,
                                      std::string_view to, std::stop_token stop) {
  const Git git(folder, std::move(stop));
  const auto frame = fmt::format("reading the authors in {}", folder.string());
  const auto shallow = git.run({"rev-parse", "--is-shallow-repository"});
  if (!shallow) return fail(Error(shallow.error()).in(frame));
  if (trim(*shallow) != "false") {
    return fail(Error(ErrorKind::FailedPrecondition, "the clone lacks a part of its history")
                    .in(frame)
                    .with_hint("Fetch all of it:\n    git fetch --unshallow")
                    .with_code("authorship.shallow"));
  }
  auto last = git.resolve(to);
  if (!last) return fail(std::move(last.error()).in(frame));
  std::string first;
  if (!from.empty()) {
    auto resolved = git.resolve(from);
    if (!resolved) return fail(std::move(resolved.error()).in(frame));
    first = *std::move(resolved);
  }
  auto commits = commits_between(git, first, *last);
  if (!commits) return fail(std::move(commits.error()).in(frame));
  if (commits->empty()) {
    return fail(Error(ErrorKind::FailedPrecondition, "there is no commit in that range")
                    .in(frame)
                    .with_code("authorship.empty"));
  }
  return Authorship{repository_name(git, folder), std::move(first), *std::move(last),
                    *std::move(commits)};
}

std::vector<Author> authors_of(const std::set<std::string>& addresses, const Directory& directory) {
  std::vector<Author> authors;
  for (const auto& address : addresses) {
    authors.push_back({address, directory.person_by_email(address).value_or("")});
  }
  return authors;
}

}  // namespace bailey
