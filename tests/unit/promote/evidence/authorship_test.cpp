#include "orchestrator/promote/evidence/authorship.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/file.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/process.hpp"
#include "orchestrator/base/text.hpp"

#include <gtest/gtest.h>

namespace bailey {
namespace {

/// A git folder in which different people commit.
class CollectAuthorship : public ::testing::Test {
 protected:
  void SetUp() override {
    auto folder = TemporaryFolder::create();
    ASSERT_TRUE(folder);
    folder_.emplace(*std::move(folder));
    git({"init", "--quiet", "--initial-branch=main"});
  }

  std::string git(std::vector<std::string> arguments, const std::string& author = "alice@x",
                  const std::string& committer = "alice@x") {
    Command command;
    command.arguments = {"git"};
    command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
    command.working_directory = folder_->path();
    for (const auto& [name, value] :
         std::map<std::string, std::string>{{"PATH", std::getenv("PATH")},
                                            {"HOME", folder_->path().string()},
                                            {"GIT_AUTHOR_NAME", "N"},
                                            {"GIT_AUTHOR_EMAIL", author},
                                            {"GIT_COMMITTER_NAME", "N"},
                                            {"GIT_COMMITTER_EMAIL", committer}}) {
      command.environment.emplace(name, Secret(value));
    }
    const auto done = run_process(command);
    EXPECT_TRUE(done && done->exit_code == 0) << arguments[0];
    return done ? std::string(trim(done->output)) : std::string();
  }

  std::string commit(const std::string& message, const std::string& author = "alice@x",
                     const std::string& committer = "alice@x") {
    git({"commit", "--quiet", "--allow-empty", "-m", message}, author, committer);
    return git({"rev-parse", "HEAD"});
  }

  std::optional<TemporaryFolder> folder_;
};

TEST_F(CollectAuthorship, NamesAuthorsCommittersAndCoAuthors) {
  const auto first = commit("first");
  commit("second", "bob@x", "carol@x");
  const auto last = commit(
      "third\n\nCo-authored-by: Dave <dave@x>\nCo-Authored-By: Erin <erin@x>\n"
      "Co-authored-by: nobody in particular",
      "Alice@X");
  const auto found = collect_authorship(folder_->path(), first, "HEAD");
  ASSERT_TRUE(found) << found.error().render();
  EXPECT_EQ(found->from, first);
  EXPECT_EQ(found->to, last);
  ASSERT_EQ(found->commits.size(), 2U);
  EXPECT_EQ(found->commits[0].authors,
            (std::vector<std::string>{"Alice@X", "dave@x", "erin@x", "nobody in particular"}));
  EXPECT_EQ(found->commits[1].committer, "carol@x");
  EXPECT_EQ(found->people(), (std::set<std::string>{"alice@x", "bob@x", "carol@x", "dave@x",
                                                    "erin@x", "nobody in particular"}));
}

TEST_F(CollectAuthorship, TakesTheWholeHistoryWithoutABeginning) {
  commit("first");
  commit("second", "bob@x");
  const auto found = collect_authorship(folder_->path(), "", "main");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->commits.size(), 2U);
  EXPECT_TRUE(found->from.empty());
}

TEST_F(CollectAuthorship, TakesNoOptionForARevision) {
  commit("first");
  const auto target = folder_->path() / "written";
  for (const auto& revision :
       {"--output=" + target.string(), std::string("--all"), std::string("-h"), std::string("none"),
        std::string("HEAD..HEAD"), std::string("HEAD\n"), std::string()}) {
    EXPECT_FALSE(collect_authorship(folder_->path(), "", revision)) << revision;
  }
  EXPECT_FALSE(std::filesystem::exists(target));
  EXPECT_FALSE(collect_authorship(folder_->path(), "--all", "HEAD"));
}

TEST_F(CollectAuthorship, BelievesNeitherMailMapsNorReplacedObjects) {
  const auto first = commit("first");
  const auto second = commit("second", "mallory@x", "mallory@x");
  ASSERT_TRUE(write_file(folder_->path() / ".mailmap", "Alice <alice@x> <mallory@x>\n"));
  git({"config", "log.mailmap", "true"});
  git({"checkout", "--quiet", "-b", "other", first});
  const auto innocent = commit("second", "alice@x");
  git({"replace", second, innocent});
  const auto found = collect_authorship(folder_->path(), first, second);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->people(), std::set<std::string>{"mallory@x"});
}

TEST_F(CollectAuthorship, RefusesAShallowCloneAndAnEmptyRange) {
  commit("first");
  commit("second");
  const auto clone = folder_->path() / "clone";
  git({"clone", "--quiet", "--depth=1", "file://" + folder_->path().string(), clone.string()});
  const auto shallow = collect_authorship(clone, "", "HEAD");
  ASSERT_FALSE(shallow);
  EXPECT_EQ(shallow.error().code(), "authorship.shallow");
  const auto empty = collect_authorship(folder_->path(), "HEAD", "HEAD");
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().code(), "authorship.empty");
  EXPECT_FALSE(collect_authorship("/nonexistent", "", "HEAD"));
}

TEST_F(CollectAuthorship, ShowsNoPasswordOfTheRemote) {
  commit("first");
  git({"remote", "add", "origin", "https://ci:hunter2@git.example/acme/payments"});
  const auto found = collect_authorship(folder_->path(), "", "HEAD");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->repository, "https://git.example/acme/payments");
}

TEST(Authorship, SurvivesARoundTripAndNeedsAnAuthor) {
  const std::string id(40, 'a');
  const Authorship authorship{"acme/payments", "", id, {{id, {"alice@x"}, "bob@x"}}};
  auto statement = to_statement(authorship, {{"web", digest_of(std::string_view("web"))}});
  const auto read = authorship_from_statement(statement);
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, authorship);
  statement.predicate["commits"][0]["authors"] = Json::array();
  EXPECT_FALSE(authorship_from_statement(statement));
  statement.predicate["commits"] = Json::array();
  EXPECT_FALSE(authorship_from_statement(statement));
}

TEST(Authorship, GivesNamesToThoseInTheDirectory) {
  Directory directory;
  directory.people["alice"].email = "Alice@X";
  EXPECT_EQ(authors_of({"alice@x", "eve@x"}, directory),
            (std::vector<Author>{{"alice@x", "alice"}, {"eve@x", ""}}));
}

}  // namespace
}  // namespace bailey
