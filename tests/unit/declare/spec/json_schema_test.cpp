#include "orchestrator/declare/spec/json_schema.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/base/yaml.hpp"
#include "tests/support/golden.hpp"
#include "tests/unit/declare/spec/spec_fixture.hpp"

#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

namespace bailey {
namespace {

using test::Acme;
using test::replaced;

// As an editor sees it: plain numbers and truth values are no texts.
Json as_editor(const YamlNode& node) {
  switch (node.kind) {
    case YamlKind::Null:
      return nullptr;
    case YamlKind::Scalar:
      if (node.plain && (node.scalar == "true" || node.scalar == "false")) {
        return node.scalar == "true";
      }
      if (node.plain && !node.scalar.empty() && node.scalar.size() < 10 &&
          node.scalar.find_first_not_of("0123456789") == std::string::npos) {
        return std::stoi(node.scalar);
      }
      return node.scalar;
    case YamlKind::Sequence: {
      Json list = Json::array();
      for (const auto& item : node.items) list.push_back(as_editor(item));
      return list;
    }
    case YamlKind::Map: {
      Json object = Json::object();
      for (const auto& entry : node.entries) object[entry.key.scalar] = as_editor(entry.value);
      return object;
    }
  }
  return nullptr;
}

class JsonSchema : public testing::Test {
 protected:
  JsonSchema() : text_(spec_json_schema(test::demo_schemas())) {
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(text_), schema_);
  }

  [[nodiscard]] bool accepts(const Json& document) const {
    valijson::Validator validator;
    const valijson::adapters::NlohmannJsonAdapter adapter(document);
    return validator.validate(schema_, adapter, nullptr);
  }
  [[nodiscard]] bool accepts_all(const std::string& yaml) const {
    Diagnostics diagnostics;
    const auto documents = parse_yaml("x.yaml", yaml, diagnostics);
    EXPECT_TRUE(documents) << yaml;
    if (!documents) return false;
    bool all = true;
    for (const auto& document : *documents) all = accepts(as_editor(document)) && all;
    return all;
  }

  Json text_;
  valijson::Schema schema_;
};

TEST_F(JsonSchema, AcceptsWhatTheReaderAccepts) {
  const Acme acme;
  for (const auto& part : acme.documents()) EXPECT_TRUE(accepts_all(part)) << part;
  const auto bundle = test::read(acme).bundle;
  ASSERT_TRUE(bundle);
  for (const auto& document : bundle->documents) {
    EXPECT_TRUE(accepts({{"apiVersion", "bailey/v1"},
                         {"kind", document.at("kind")},
                         {"metadata", {{"name", document.at("name")}}},
                         {"spec", document.at("spec")}}))
        << pretty(document);
  }
}

TEST_F(JsonSchema, RefusesFaultsOfShapeAsTheReaderDoes) {
  struct Fault {
    std::string Acme::*part;
    std::string from;
    std::string to;
  };
  const std::vector<Fault> faults{
      {&Acme::project, "apiVersion: bailey/v1", "apiVersion: bailey/v2"},
      {&Acme::project, "apiVersion: bailey/v1\n", ""},
      {&Acme::freeze, "kind: Freeze", "kind: Freze"},
      {&Acme::freeze, "kind: Freeze", "kind: Freeze\nstatus: {}"},
      {&Acme::freeze, "{name: year-end}", "{name: Year_End}"},
      {&Acme::freeze, "{name: year-end}", "{name: year-end, labels: {}}"},
      {&Acme::duties, "control:", "controls:"},
      {&Acme::project, "  authors: [group:devs]\n", ""},
      {&Acme::project, "authors: [group:devs]", "authors: group:devs"},
      {&Acme::project, "authors: [group:devs]", "authors: []"},
      {&Acme::accounts, "concurrency: 8", "concurrency: \"8\""},
      {&Acme::accounts, "concurrency: 8", "concurrency: 0"},
      {&Acme::accounts, "{env: CLOUD_CREDENTIAL}", "{env: A, file: b}"},
      {&Acme::accounts, "{env: CLOUD_CREDENTIAL}", "{value: hunter2}"},
      {&Acme::web_service, "protect: true", "protect: yes"},
      {&Acme::web_service, "type: network, cidr", "type: netwrk, cidr"},
      {&Acme::web_service, "image: cirros-", "imag: cirros-"},
      {&Acme::web_service, "protocol: tcp", "protocol: tpc"},
      {&Acme::web_service, "port: 443", "port: 65536"},
      {&Acme::web_service, "powers: [read, approve]", "powers: [read, aprove]"},
      {&Acme::production, "execute: by-operator", "execute: by-operators"},
      {&Acme::production, "timeout: 1m", "timeout: 1 minute"},
      {&Acme::production, "window: {days: [mon, tue]", "window: {days: [monday]"},
      {&Acme::production, "- soak: {in", "- soaks: {in"},
      {&Acme::sandbox, "class: sandbox", "class: sandboxes"},
  };
  for (const auto& fault : faults) {
    Acme acme;
    acme.*fault.part = replaced(acme.*fault.part, fault.from, fault.to);
    EXPECT_FALSE(accepts_all(acme.*fault.part)) << fault.to;
    EXPECT_FALSE(test::read(acme).bundle) << fault.to;
  }
}

TEST_F(JsonSchema, SaysWhatEditorsShow) {
  test::expect_golden("spec/schema.json", pretty(text_));
}

}  // namespace
}  // namespace bailey
