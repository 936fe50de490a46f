#include "orchestrator/declare/spec/source_files.hpp"

#include "orchestrator/base/file.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace bailey {
namespace {

namespace fs = std::filesystem;

class CollectSources : public testing::Test {
 protected:
  CollectSources() : folder_(TemporaryFolder::create("spec").value()) {}

  void write(const std::string& name, const std::string& text, bool executable = false) {
    const auto path = folder_.path() / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    if (executable) fs::permissions(path, fs::perms::owner_exec, fs::perm_options::add);
  }
  std::optional<BundleSources> collect(const fs::path& path) {
    Diagnostics diagnostics;
    auto sources = collect_sources({path}, diagnostics);
    codes_.clear();
    for (const auto& finding : diagnostics.sorted()) codes_.push_back(finding.code);
    EXPECT_EQ(sources.has_value(), codes_.empty());
    return sources;
  }

  TemporaryFolder folder_;
  std::vector<std::string> codes_;
};

using Codes = std::vector<std::string>;

TEST_F(CollectSources, ReadsAFolderInOrder) {
  write("b.yaml", "b");
  write("a/z.yml", "z");
  write(".hidden/x.yaml", "x");
  write("README.md", "r");
  write("checks/smoke", "#!/bin/sh\n", true);
  const auto sources = collect(folder_.path());
  ASSERT_TRUE(sources);
  ASSERT_EQ(sources->specs.size(), 2U);
  EXPECT_EQ(sources->specs[0].path, (folder_.path() / "a/z.yml").string());
  EXPECT_EQ(sources->specs[1].text, "b");
  EXPECT_EQ(sources->programs,
            (std::map<std::string, std::string>{{"checks/smoke", "#!/bin/sh\n"}}));
  EXPECT_EQ(sources->lookup()(sources->specs[1].path), "b");
  EXPECT_FALSE(sources->lookup()("elsewhere"));
}

TEST_F(CollectSources, ReadsOneFile) {
  write("a.txt", "a");
  EXPECT_EQ(collect(folder_.path() / "a.txt")->specs.size(), 1U);
}

TEST_F(CollectSources, RefusesWhatCannotBeReadAndWhatIsEmpty) {
  EXPECT_FALSE(collect(folder_.path() / "absent"));
  EXPECT_EQ(codes_, Codes{"spec.unreadable"});
  EXPECT_FALSE(collect(folder_.path()));
  EXPECT_EQ(codes_, Codes{"spec.no-specs"});
}

TEST_F(CollectSources, RefusesALinkThatLeadsOut) {
  write("in/a.yaml", "a");
  write("out/b.yaml", "b");
  fs::create_symlink(folder_.path() / "in/a.yaml", folder_.path() / "in/same.yaml");
  EXPECT_EQ(collect(folder_.path() / "in")->specs.size(), 2U);
  fs::create_symlink("../out", folder_.path() / "in/more");
  EXPECT_FALSE(collect(folder_.path() / "in"));
  EXPECT_EQ(codes_, Codes{"spec.link-outside"});
}

TEST_F(CollectSources, SurvivesLinksInACircle) {
  write("a.yaml", "a");
  fs::create_symlink(".", folder_.path() / "loop");
  EXPECT_FALSE(collect(folder_.path()));
}

TEST_F(CollectSources, RefusesFilesThatAreTooLarge) {
  write("a.yaml", std::string(1024 * 1024 + 1, '#'));
  write("b.yaml", "b");
  write("tool", std::string(256 * 1024 + 1, 'x'), true);
  EXPECT_FALSE(collect(folder_.path()));
  EXPECT_EQ(codes_, (Codes{"yaml.too-large", "spec.program-too-large"}));
}

}  // namespace
}  // namespace bailey
