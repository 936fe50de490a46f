#include "orchestrator/serve/cli/git_authors.hpp"

#include "orchestrator/base/file.hpp"
#include "orchestrator/base/process.hpp"
#include "orchestrator/base/text.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace bailey {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

struct GitAuthors : testing::Test {
  void SetUp() override {
    folder = std::make_unique<TemporaryFolder>(*TemporaryFolder::create("git-authors"));
    git({"init", "-q", "-b", "main"});
    fs::create_directories(specs());
  }
  [[nodiscard]] fs::path specs() const { return folder->path() / "specs"; }
  std::string git(std::vector<std::string> words, const std::string& who = "setup") {
    Command command;
    command.arguments = {"git", "-C", folder->path().string()};
    command.arguments.insert(command.arguments.end(), words.begin(), words.end());
    command.inherit_environment = true;
    for (const char* role : {"AUTHOR", "COMMITTER"}) {
      command.environment[std::string("GIT_") + role + "_NAME"] = Secret(who);
      command.environment[std::string("GIT_") + role + "_EMAIL"] = Secret(who + "@acme.example");
    }
    command.environment["GIT_CONFIG_GLOBAL"] = Secret("/dev/null");
    const auto done = run_process(command);
    EXPECT_TRUE(done && done->exit_code == 0);
    return done ? std::string(trim(done->output)) : std::string();
  }
  std::string commit(const std::string& who, const std::string& file, const std::string& message) {
    EXPECT_TRUE(write_file(folder->path() / file, message));
    git({"add", "-A"}, who);
    git({"commit", "-q", "-m", message}, who);
    return git({"rev-parse", "HEAD"});
  }
  std::unique_ptr<TemporaryFolder> folder;
};

TEST_F(GitAuthors, AreThoseWhoTouchedTheSpecsSince) {
  const auto first = commit("alice", "specs/a.yaml", "one");
  commit("bob", "other.txt", "elsewhere");
  const auto last =
      commit("carol", "specs/b.yaml", "two\n\nCo-authored-by: Dave <dave@acme.example>\n");
  const auto all = find_origin({specs()}, "");
  EXPECT_EQ(all.commit, last);
  EXPECT_EQ(all.authors, (Names{"alice@acme.example", "carol@acme.example", "dave@acme.example"}));
  EXPECT_EQ(find_origin({specs()}, first).authors,
            (Names{"carol@acme.example", "dave@acme.example"}));
  EXPECT_EQ(find_origin({specs() / "a.yaml"}, "").authors, Names{"alice@acme.example"});
  EXPECT_TRUE(find_origin({specs()}, last).authors.empty());
}

TEST_F(GitAuthors, AreAllOfThemWhenTheCommitIsNotKnownHere) {
  commit("alice", "specs/a.yaml", "one");
  for (const auto& since : {std::string(40, 'a'), std::string("HEAD"), std::string("--all"),
                            std::string("main"), std::string("x; rm -rf")}) {
    EXPECT_EQ(find_origin({specs()}, since).authors, Names{"alice@acme.example"}) << since;
  }
}

TEST_F(GitAuthors, AreNobodyOutsideGit) {
  const auto outside = TemporaryFolder::create("no-git");
  ASSERT_TRUE(outside);
  const auto origin = find_origin({outside->path()}, "");
  EXPECT_EQ(origin.commit, "");
  EXPECT_TRUE(origin.authors.empty());
}

}  // namespace
}  // namespace bailey
