#include "orchestrator/serve/cli/command_line.hpp"

#include "orchestrator/base/file.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/serve/cli/api_client.hpp"
#include "orchestrator/serve/cli/exit_code.hpp"
#include "tests/support/golden.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace bailey {
namespace {

using test::expect_golden;

struct Ran {
  int code = 0;
  std::string output;
  std::string errors;
};

Ran run(std::vector<std::string> words, const Programs& programs = {}) {
  words.insert(words.begin(), "bailey");
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Ran ran;
  ran.code = run_command_line(static_cast<int>(words.size()), arguments.data(), programs);
  std::fflush(stdout);
  ran.output = testing::internal::GetCapturedStdout();
  ran.errors = testing::internal::GetCapturedStderr();
  return ran;
}

const std::vector<std::vector<std::string>> kCommands = {
    {},
    {"validate"},
    {"duties"},
    {"duties", "check"},
    {"schema"},
    {"init"},
    {"plan"},
    {"apply"},
    {"promote"},
    {"rollback"},
    {"destroy"},
    {"approve"},
    {"reject"},
    {"revoke"},
    {"approval"},
    {"approval", "export"},
    {"change"},
    {"change", "list"},
    {"change", "show"},
    {"change", "why"},
    {"change", "plan"},
    {"change", "execute"},
    {"change", "follow"},
    {"change", "cancel"},
    {"journal"},
    {"artifact"},
    {"artifact", "submit"},
    {"artifact", "show"},
    {"receipt"},
    {"receipt", "show"},
    {"receipt", "verify"},
    {"env"},
    {"env", "list"},
    {"env", "show"},
    {"import"},
    {"drift"},
    {"sandbox"},
    {"sandbox", "list"},
    {"sandbox", "extend"},
    {"probe"},
    {"run"},
    {"credential"},
    {"credential", "lease"},
    {"credential", "list"},
    {"credential", "rotate"},
    {"credential", "revoke"},
    {"grant"},
    {"grant", "request"},
    {"grant", "list"},
    {"grant", "show"},
    {"grant", "revoke"},
    {"grant", "review"},
    {"break-glass"},
    {"audit"},
    {"audit", "list"},
    {"audit", "verify"},
    {"login"},
    {"whoami"},
    {"token"},
    {"token", "create"},
    {"token", "list"},
    {"token", "revoke"},
    {"serve"},
    {"devcloud"},
};

// CLI11 lists what an option excludes in the order of addresses, which differs from run to run.
std::string with_sorted_exclusions(const std::string& text) {
  constexpr std::string_view kExcludes = "Excludes: ";
  std::istringstream lines(text);
  std::string out;
  for (std::string line; std::getline(lines, line);) {
    if (const auto at = line.find(kExcludes); at != std::string::npos) {
      std::istringstream words(line.substr(at + kExcludes.size()));
      std::vector<std::string> names{std::istream_iterator<std::string>(words), {}};
      std::sort(names.begin(), names.end());
      line = line.substr(0, at) + std::string(kExcludes) + join(names, " ");
    }
    out += line + "\n";
  }
  return out;
}

TEST(CommandLine, ExplainsEveryCommand) {
  std::string all;
  for (auto words : kCommands) {
    words.emplace_back("--help");
    const auto ran = run(words);
    EXPECT_EQ(ran.code, kDone) << words.front();
    EXPECT_EQ(ran.errors, "");
    all += "$ bailey";
    for (const auto& word : words) all += " " + word;
    all += "\n" + ran.output + "\n";
  }
  expect_golden("cli/help.txt", with_sorted_exclusions(all));
}

TEST(CommandLine, HelpNamesNoCommandThatIsNotInTheGoldenList) {
  for (const auto& words : kCommands) {
    if (words.size() > 1) continue;
    auto asked = words;
    asked.emplace_back("--help");
    const auto text = run(asked).output;
    const auto from = text.find("Subcommands:\n");
    if (from == std::string::npos) continue;
    for (auto at = text.find("\n  ", from); at != std::string::npos;
         at = text.find("\n  ", at + 1)) {
      const auto name = text.substr(at + 3, text.find(' ', at + 3) - at - 3);
      if (name.empty()) continue;
      auto command = words;
      command.push_back(name);
      EXPECT_NE(std::find(kCommands.begin(), kCommands.end(), command), kCommands.end()) << name;
    }
  }
}

TEST(CommandLine, UsageErrorsAre64AndOnStderr) {
  const std::vector<std::vector<std::string>> wrong = {
      {},
      {"nothing"},
      {"change"},
      {"change", "nothing"},
      {"change", "show"},
      {"validate"},
      {"validate", "/no/such/path"},
      {"apply"},
      {"promote", "--project", "p"},
      {"approve"},
      {"approve", "chg-x", "--nothing"},
      {"approve", "chg-x", "another"},
      {"run", "dev"},
      {"run", "dev", "--role", "r"},
      {"run", "dev", "--role", "r", "--ttl", "1x", "--", "true"},
      {"credential", "revoke", "dev", "--lease", "l", "--role", "r"},
      {"token", "create", "bob"},
      {"receipt", "verify", "/no/such/file"},
      {"audit", "list", "--from", "x"},
      {"login"},
      {"serve"},
      {"serve", "--data", "d", "--listen", "nonsense"},
      {"serve", "--data", "d", "--listen", "127.0.0.1:99999"},
      {"serve", "--data", "d", "--listen", ":80"},
      {"serve", "--data", "d", "--listen", "127.0.0.1:"},
      {"whoami", "--token-file"},
  };
  for (const auto& words : wrong) {
    const auto ran = run(words);
    std::string line;
    for (const auto& word : words) line += " " + word;
    EXPECT_EQ(ran.code, kUsage) << line;
    EXPECT_EQ(ran.output, "") << line;
    EXPECT_NE(ran.errors, "") << line;
  }
}

TEST(CommandLine, HandsProgramsTheirOptions) {
  ServeOptions served;
  DevcloudCommand cloud;
  Programs programs;
  programs.serve = [&](const ServeOptions& options) {
    served = options;
    return 7;
  };
  programs.devcloud = [&](const DevcloudCommand& options) {
    cloud = options;
    return 8;
  };
  EXPECT_EQ(
      run({"serve", "--data", "folder", "--listen", "127.0.0.2:81", "--origin", "o"}, programs)
          .code,
      7);
  EXPECT_EQ(served.data, "folder");
  EXPECT_EQ(served.address, "127.0.0.2");
  EXPECT_EQ(served.port, 81);
  EXPECT_EQ(served.origin, "o");
  EXPECT_EQ(run({"devcloud", "--listen", "127.0.0.1:5", "--seed", "9"}, programs).code, 8);
  EXPECT_EQ(cloud.listen, "127.0.0.1:5");
  EXPECT_EQ(cloud.seed, 9U);
}

TEST(CommandLine, SaysTheVersionOnStdout) {
  const auto ran = run({"--version"});
  EXPECT_EQ(ran.code, kDone);
  EXPECT_EQ(ran.output.rfind("bailey ", 0), 0U);
}

// Port 1 of the loopback: nobody listens there.
TEST(CommandLine, AServerThatIsNotThereIsAFailure) {
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"whoami"}, {"env", "list"}, {"change", "show", "chg-x"}, {"audit", "list"}}) {
    auto plain = words;
    plain.insert(plain.begin(), {"--server", "http://127.0.0.1:1"});
    const auto ran = run(plain);
    EXPECT_EQ(ran.code, kFailed) << words.front();
    EXPECT_EQ(ran.output, "");
    plain.insert(plain.begin(), "--json");
    const auto json = run(plain);
    EXPECT_EQ(json.code, kFailed);
    EXPECT_EQ(nlohmann::json::parse(json.output)["error"]["kind"], "unavailable");
  }
}

TEST(CommandLine, OptionsOfAllCommandsStandAnywhere) {
  EXPECT_EQ(run({"whoami", "--server", "http://127.0.0.1:1", "--json"}).code, kFailed);
}

}  // namespace
}  // namespace bailey
