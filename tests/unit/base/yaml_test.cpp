#include "orchestrator/base/yaml.hpp"

#include "orchestrator/base/json.hpp"
#include "tests/support/vectors.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

namespace bailey {
namespace {

namespace fs = std::filesystem;

struct Reading {
  std::optional<std::vector<YamlNode>> documents;
  std::vector<Diagnostic> findings;

  [[nodiscard]] std::vector<std::string> codes() const {
    std::vector<std::string> out;
    for (const auto& finding : findings) out.push_back(finding.code);
    return out;
  }
  [[nodiscard]] std::string places() const {
    std::string out;
    for (const auto& finding : findings) {
      if (!out.empty()) out += ' ';
      out += std::to_string(finding.subject->line) + ":" + std::to_string(finding.subject->column);
    }
    return out;
  }
};

Reading read(std::string_view text) {
  Diagnostics diagnostics;
  Reading reading{parse_yaml("test.yaml", text, diagnostics), {}};
  reading.findings = diagnostics.sorted();
  EXPECT_EQ(reading.documents.has_value(), reading.findings.empty());
  return reading;
}

using Codes = std::vector<std::string>;

TEST(Yaml, KeepsTextKindsAndPlaces) {
  const auto reading =
      read("# top\na: 1\nlist:\n  - 'x y'\n  - ~\n  -\nmüll: {k: \"ä\", \"q\": yes}\n");
  ASSERT_TRUE(reading.documents);
  ASSERT_EQ(reading.documents->size(), 1U);
  const YamlNode& root = reading.documents->front();
  ASSERT_EQ(root.kind, YamlKind::Map);
  ASSERT_EQ(root.entries.size(), 3U);
  EXPECT_EQ(root.entries[0].value.scalar, "1");
  EXPECT_TRUE(root.entries[0].value.plain);
  const YamlNode& list = *root.find("list");
  ASSERT_EQ(list.items.size(), 3U);
  EXPECT_EQ(list.items[0].scalar, "x y");
  EXPECT_FALSE(list.items[0].plain);
  EXPECT_EQ(list.items[0].at("f"), (SourceRange{"f", 4, 5, 5}));
  EXPECT_EQ(list.items[1].kind, YamlKind::Null);
  EXPECT_EQ(list.items[1].scalar, "~");
  EXPECT_EQ(list.items[2].kind, YamlKind::Null);
  const YamlNode& map = *root.find("müll");
  EXPECT_EQ(map.find("k")->at("f"), (SourceRange{"f", 7, 11, 3}));
  EXPECT_EQ(map.entries[1].key.at("f"), (SourceRange{"f", 7, 16, 3}));
  EXPECT_EQ(map.find("q")->scalar, "yes");
  EXPECT_EQ(root.find("absent"), nullptr);
}

TEST(Yaml, SplitsDocumentsBeforeTheLibrarySeesThem) {
  EXPECT_EQ(read("").documents->size(), 0U);
  EXPECT_EQ(read("# only a comment\n").documents->size(), 0U);
  EXPECT_EQ(read("a: 1").documents->size(), 1U);
  EXPECT_EQ(read("# c\n---\na: 1\n---\nb: 2\n...\n# end\n").documents->size(), 2U);
  EXPECT_EQ(read("---\n---\n").documents->size(), 2U);
  const auto reading = read("---\na: 1\n--- # two\nb: |\n  ---\n  x\n");
  ASSERT_EQ(reading.documents->size(), 2U);
  EXPECT_EQ(reading.documents->at(1).find("b")->scalar, "---\nx\n");
  EXPECT_EQ(reading.documents->at(1).entries[0].key.line, 4U);
}

TEST(Yaml, ASyntaxErrorEndsItsOwnDocumentOnly) {
  const auto reading = read("a: [1\n---\nb: 1\nb: 2\n---\nc: &x 1\nd: *x\n---\n\"open\n");
  EXPECT_EQ(reading.codes(), (Codes{"yaml.syntax", "yaml.duplicate-key", "yaml.anchor",
                                    "yaml.alias", "yaml.syntax"}));
  EXPECT_EQ(reading.places(), "1:4 4:1 6:4 7:4 9:1");
}

TEST(Yaml, ReadsWindowsLineEndsAlike) {
  const auto reading = read("a: 1\r\nb: |\r\n  x\r\n  y\r\n");
  ASSERT_TRUE(reading.documents);
  EXPECT_EQ(reading.documents->front().find("b")->scalar, "x\ny\n");
}

TEST(Yaml, RefusesBytesThatAreNotPlainText) {
  EXPECT_EQ(read("a: \xff\n").codes(), Codes{"yaml.not-utf8"});
  EXPECT_EQ(read("ä: \xc0\xaf\n").places(), "1:4");
  EXPECT_EQ(read("\xEF\xBB\xBF"
                 "a: 1\n")
                .codes(),
            Codes{"yaml.byte-order-mark"});
  EXPECT_EQ(read(std::string_view("a: \0b\n", 6)).codes(), Codes{"yaml.control-character"});
  EXPECT_EQ(read("a: \x1b[31m\n").codes(), Codes{"yaml.control-character"});
  EXPECT_EQ(read("a: b\rc: d\n").codes(), Codes{"yaml.control-character"});
  EXPECT_EQ(read("a: \xE2\x80\xAE"
                 "evil\n")
                .codes(),
            Codes{"yaml.control-character"});
  EXPECT_EQ(read("a: \"x\\0y\"\n").codes(), Codes{"yaml.control-character"});
  EXPECT_EQ(read(std::string(1024 * 1024 + 1, '#')).codes(), Codes{"yaml.too-large"});
}

TEST(Yaml, RefusesWhatIsOutsideTheProfile) {
  EXPECT_EQ(read("%YAML 1.2\n---\na: 1\n").codes(), Codes{"yaml.directive"});
  EXPECT_EQ(read("a: &x 1\n").codes(), Codes{"yaml.anchor"});
  EXPECT_EQ(read("a: *x\n").codes(), Codes{"yaml.alias"});
  EXPECT_EQ(read("a: !!str 1\n").codes(), Codes{"yaml.tag"});
  EXPECT_EQ(read("a: ! 1\n").codes(), Codes{"yaml.tag"});
  EXPECT_EQ(read("a: {<<: {b: 1}}\n").codes(), Codes{"yaml.merge-key"});
  EXPECT_EQ(read("a: 1\n\"a\": 2\n").codes(), Codes{"yaml.duplicate-key"});
  EXPECT_EQ(read("? a\n: b\n").codes(), Codes{"yaml.complex-key"});
  EXPECT_EQ(read("{[a]: b}\n").codes(), Codes{"yaml.complex-key"});
  EXPECT_EQ(read("null: b\n").codes(), Codes{"yaml.complex-key"});
  EXPECT_EQ(read(": b\n").codes(), Codes{"yaml.complex-key"});
  EXPECT_EQ(read("a:\n\tb: 1\n").codes(), Codes{"yaml.tab"});
  EXPECT_EQ(read("-\t- a\n").codes(), Codes{"yaml.tab"});
}

TEST(Yaml, RefusesWhatYamlCppLetsThrough) {
  for (const std::string text :
       {"a: 1\nb\n", "[a]#c\n", "[, a]\n", "[a, , b]\n", "[-]\n", "a: [b,\nc]\n", "a: \"b\nc\"\n",
        "a: \"\\'\"\n", "a: >\n  \n \n x\n", "a: |# no\n  x\n", "a: \"b\"#c\n", "- a\nb: c\n",
        "a: b\n... c\n", "a: \"\n\n  b\"\n", "a\n# c\nb\n"}) {
    EXPECT_FALSE(read(text).documents) << text;
  }
}

TEST(Yaml, KeepsItsLimits) {
  EXPECT_TRUE(read(std::string(64, '[') + std::string(64, ']')).documents);
  EXPECT_EQ(read(std::string(65, '[') + std::string(65, ']')).codes(), Codes{"yaml.too-deep"});
  std::string nested;
  for (std::size_t i = 0; i < 65; ++i) nested += std::string(i, ' ') + "a:\n";
  EXPECT_EQ(read(nested).codes(), Codes{"yaml.too-deep"});
  EXPECT_TRUE(read(std::string(256, 'k') + ": 1\n").documents);
  EXPECT_EQ(read(std::string(257, 'k') + ": 1\n").codes(), Codes{"yaml.key-too-long"});
  EXPECT_TRUE(read("a: " + std::string(64 * 1024, 'x')).documents);
  EXPECT_EQ(read("a: " + std::string(64 * 1024 + 1, 'x')).codes(), Codes{"yaml.scalar-too-long"});
  std::string many = "a:\n";
  for (int i = 0; i < 100'000; ++i) many += "- \n";
  EXPECT_EQ(read(many).codes(), Codes{"yaml.too-many-nodes"});
}

TEST(Yaml, RefusesHostileTextAtOnce) {
  constexpr std::size_t kMiB = 1024U * 1024;
  std::string laughs = "a0: &a0 [x]\n";
  for (int i = 1; i < 40; ++i) {
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" +
              std::to_string(i - 1) + ",*a" + std::to_string(i - 1) + "]\n";
  }
  const std::vector<std::string> hostile{",",
                                         "\"b\"---1\n? b\n&anchor\n1 lab\"\n",
                                         "%YAML\xff\xff\xff\xff"
                                         "1.2 foo\n---\n",
                                         std::string(kMiB, '['),
                                         std::string(kMiB, '{'),
                                         std::string(kMiB, 'a'),
                                         std::string(kMiB, '"'),
                                         std::string(kMiB, '!'),
                                         laughs,
                                         "&a [1,*a]"};
  for (const auto& text : hostile) EXPECT_FALSE(read(text).documents) << text.substr(0, 40);
}

std::string slurp(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::stringstream bytes;
  bytes << stream.rdbuf();
  return bytes.str();
}

// The core schema of YAML 1.2, as far as the suite's values need it.
Json core_value(const std::string& text) {
  if (text == "true" || text == "false") return text == "true";
  if (text.find_first_of("0123456789") != std::string::npos &&
      text.find_first_not_of("0123456789+-.eE") == std::string::npos) {
    char* end = nullptr;
    const long whole = std::strtol(text.c_str(), &end, 10);
    if (*end == '\0') return whole;
    const double number = std::strtod(text.c_str(), &end);
    if (*end == '\0') return number;
  }
  return text;
}

Json value_of(const YamlNode& node) {
  switch (node.kind) {
    case YamlKind::Null:
      return nullptr;
    case YamlKind::Scalar:
      return node.plain ? core_value(node.scalar) : Json(node.scalar);
    case YamlKind::Sequence: {
      Json list = Json::array();
      for (const auto& item : node.items) list.push_back(value_of(item));
      return list;
    }
    case YamlKind::Map: {
      Json object = Json::object();
      for (const auto& entry : node.entries) object[entry.key.scalar] = value_of(entry.value);
      return object;
    }
  }
  return nullptr;
}

Json expected_values(const fs::path& file) {
  Json values = Json::array();
  std::istringstream stream(slurp(file));
  while (stream >> std::ws && stream.peek() != std::char_traits<char>::eof()) {
    Json value;
    stream >> value;
    values.push_back(std::move(value));
  }
  return values;
}

TEST(Yaml, PassesTheTestSuiteWithinItsProfile) {
  BAILEY_VECTORS_OR_SKIP(vectors);
  // Valid YAML that yaml-cpp 0.7 cannot read: "?x" and "?" within a plain word, a line of a tab.
  const std::set<std::string> unreadable{"652Z", "HM87/01", "JR7V", "DK95/04"};
  const std::set<std::string> profile{"yaml.anchor",     "yaml.alias",       "yaml.tag",
                                      "yaml.directive",  "yaml.complex-key", "yaml.tab",
                                      "yaml.unsupported"};
  const fs::path suite = vectors / "yaml-test-suite";
  int valid = 0;
  int refused = 0;
  int invalid = 0;
  for (const auto& entry : fs::recursive_directory_iterator(suite)) {
    if (entry.path().filename() != "in.yaml") continue;
    const fs::path folder = entry.path().parent_path();
    const std::string name = fs::relative(folder, suite).string();
    Diagnostics diagnostics;
    const auto documents = parse_yaml(name, slurp(entry.path()), diagnostics);
    if (fs::exists(folder / "error")) {
      ++invalid;
      EXPECT_FALSE(documents) << name << " is invalid and was accepted";
    } else if (!documents) {
      ++refused;
      const auto code = diagnostics.sorted().front().code;
      EXPECT_TRUE(profile.contains(code) || unreadable.contains(name)) << name << ": " << code;
    } else if (fs::exists(folder / "in.json")) {
      ++valid;
      Json values = Json::array();
      for (const auto& document : *documents) values.push_back(value_of(document));
      EXPECT_EQ(values, expected_values(folder / "in.json")) << name;
    }
  }
  EXPECT_EQ(invalid, 94);
  EXPECT_EQ(valid, 161);
  EXPECT_EQ(refused, 146);
}

}  // namespace
}  // namespace bailey
