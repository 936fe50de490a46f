#include "orchestrator/model/vocabulary.hpp"

namespace bailey {

std::string_view to_string(EnvironmentClass value) noexcept {
  switch (value) {
    case EnvironmentClass::Sandbox:
      return "sandbox";
    case EnvironmentClass::Development:
      return "development";
    case EnvironmentClass::Test:
      return "test";
    case EnvironmentClass::Staging:
      return "staging";
    case EnvironmentClass::Production:
      return "production";
  }
  return "";
}

std::string_view to_string(Power value) noexcept {
  switch (value) {
    case Power::Read:
      return "read";
    case Power::Request:
      return "request";
    case Power::Approve:
      return "approve";
    case Power::Deploy:
      return "deploy";
    case Power::Operate:
      return "operate";
    case Power::Administer:
      return "administer";
    case Power::Audit:
      return "audit";
    case Power::BreakGlass:
      return "break-glass";
  }
  return "";
}

std::optional<EnvironmentClass> parse_environment_class(std::string_view text) noexcept {
  for (const auto value : all_environment_classes()) {
    if (to_string(value) == text) return value;
  }
  return std::nullopt;
}

std::optional<Power> parse_power(std::string_view text) noexcept {
  for (const auto value : all_powers()) {
    if (to_string(value) == text) return value;
  }
  return std::nullopt;
}

const std::vector<EnvironmentClass>& all_environment_classes() {
  static const std::vector kAll{EnvironmentClass::Sandbox, EnvironmentClass::Development,
                                EnvironmentClass::Test, EnvironmentClass::Staging,
                                EnvironmentClass::Production};
  return kAll;
}

const std::vector<Power>& all_powers() {
  static const std::vector kAll{Power::Read,   Power::Request,   Power::Approve,
                                Power::Deploy, Power::Operate,   Power::Administer,
                                Power::Audit,  Power::BreakGlass};
  return kAll;
}

}  // namespace bailey
