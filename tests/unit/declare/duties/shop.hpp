#pragma once

#include "orchestrator/base/file.hpp"
#include "orchestrator/declare/duties/prove_duties.hpp"
#include "tests/unit/declare/spec/spec_fixture.hpp"

#include <string>
#include <vector>

namespace bailey::test {

struct Proof {
  std::vector<Diagnostic> findings;

  [[nodiscard]] std::vector<std::string> codes() const {
    std::vector<std::string> out;
    for (const auto& each : findings) out.push_back(each.code);
    return out;
  }
  /// Everything that is said, for the message of a failed expectation.
  [[nodiscard]] std::string told() const {
    std::string out;
    for (const auto& each : findings) {
      out += each.code + ": " + each.detail + "\n";
      for (const auto& step : each.path) out += "  " + step + "\n";
    }
    return out;
  }
};

/// The well separated shop of templates/examples-of-failures, to be spoilt: ann and ben write, cleo
/// and dan approve, eve operates staging, finn tests, gus controls the service ci, which deploys;
/// gus, hana and cleo administer.
class Shop {
 public:
  Shop() {
    auto text = read_file(std::string(BAILEY_SOURCE_DIR) +
                          "/templates/examples-of-failures/separated/shop.yaml");
    EXPECT_TRUE(text.has_value());
    text_ = text.value_or("");
    for (auto at = text_.find("provider: openstack"); at != std::string::npos;
         at = text_.find("provider: openstack")) {
      text_.replace(at, 19, "provider: demo");
    }
  }

  Shop& with(const std::string& from, const std::string& to) {
    text_ = replaced(text_, from, to);
    return *this;
  }
  Shop& without_key(const std::string& person) {
    const auto at = text_.find(", keys: [", text_.find("    " + person + ": {"));
    const auto end = text_.find(']', at);
    EXPECT_NE(end, std::string::npos) << person;
    if (end != std::string::npos) text_.erase(at, end - at + 1);
    return *this;
  }
  Shop& and_duty(const std::string& holds) {
    text_ += "    - {name: another, holds: [" + holds + "]}\n";
    return *this;
  }
  Shop& and_document(const std::string& text) {
    text_ += "---\napiVersion: bailey/v1\n" + text;
    return *this;
  }

  [[nodiscard]] Proof prove() const { return judged(prove_duties); }
  /// What refuses a policy, and no more.
  [[nodiscard]] Proof check() const { return judged(check_policy); }

 private:
  template <class Judge>
  [[nodiscard]] Proof judged(Judge judge) const {
    BundleSources sources;
    sources.specs.push_back({"shop.yaml", text_});
    sources.programs["checks/smoke"] = "#!/bin/sh\n";
    Diagnostics reading;
    BundlePlaces places;
    const auto bundle = read_bundle(sources, demo_schemas(), reading, &places);
    EXPECT_TRUE(bundle.has_value()) << to_text(reading);
    Diagnostics diagnostics;
    if (bundle) judge(*bundle, places, diagnostics);
    return {diagnostics.sorted()};
  }
  static std::string to_text(const Diagnostics& diagnostics) {
    std::string out;
    for (const auto& each : diagnostics.sorted()) out += each.code + " " + each.detail + "\n";
    return out;
  }

  std::string text_;
};

}  // namespace bailey::test
