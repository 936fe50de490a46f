#include "orchestrator/declare/spec/expand.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/declare/spec/references.hpp"
#include "orchestrator/declare/spec/resource_fields.hpp"
#include "orchestrator/declare/spec/workspace.hpp"

#include <fmt/format.h>

#include <set>

namespace bailey {

namespace {

using spec::Reference;
using spec::ReferenceRoot;

void collect_references(const Json& value, std::vector<Reference>& out) {
  if (value.is_string()) {
    for (auto& reference : spec::scan_references(value.get_ref<const std::string&>()).references) {
      out.push_back(std::move(reference));
    }
  } else if (value.is_structured()) {
    for (const auto& each : value) collect_references(each, out);
  }
}

/// Expands one template with the values of one environment.
class Expander {
 public:
  Expander(const Template& of, const Environment& environment,
           const std::map<std::string, std::string>& artifacts)
      : template_(of),
        environment_(environment),
        artifacts_(artifacts),
        parameters_(spec::parameter_values(of, environment)) {}

  Expansion run() {
    find_deferred();
    Expansion expansion;
    expansion.moves = template_.moved;
    for (const auto& [name, resource] : template_.resources) {
      if (const auto reason = reasons_.find(name); reason != reasons_.end()) {
        for (auto& address : addresses(name)) {
          expansion.deferred.push_back({std::move(address), reason->second});
        }
        continue;
      }
      // No field tells one of a count from another.
      const auto fields = fill(resource.fields);
      const auto depends_on = dependencies(resource.fields);
      for (auto& address : addresses(name)) {
        expansion.resources.push_back(
            {std::move(address), resource.type, fields, depends_on, protects(resource)});
      }
    }
    return expansion;
  }

 private:
  // A sandbox ends, and everything in it.
  [[nodiscard]] bool protects(const ResourceSpec& resource) const {
    return resource.protect && environment_.environment_class != EnvironmentClass::Sandbox;
  }

  [[nodiscard]] std::optional<int> count_of(const ResourceSpec& resource) const {
    const Json count = fill(resource.count);
    if (!count.is_number_integer()) return std::nullopt;
    return count.get<int>();
  }

  [[nodiscard]] std::vector<ResourceAddress> addresses(const std::string& name) const {
    const auto& resource = template_.resources.at(name);
    if (resource.count.is_null()) return {{environment_.name, name, std::nullopt}};
    std::vector<ResourceAddress> out;
    const int count = count_of(resource).value_or(0);
    for (int i = 0; i < count; ++i) out.push_back({environment_.name, name, i});
    return out;
  }

  [[nodiscard]] Json fill(const Json& value) const {
    return spec::substitute_all(
        value, [&](const Reference& reference) -> std::optional<Json> { return known(reference); });
  }

  [[nodiscard]] std::optional<Json> known(const Reference& reference) const {
    switch (reference.root) {
      case ReferenceRoot::Parameter: {
        const auto found = parameters_.find(reference.name);
        if (found == parameters_.end()) return std::nullopt;
        return found->second;
      }
      case ReferenceRoot::Environment:
        if (reference.name == "name") return environment_.name;
        return std::string(to_string(environment_.environment_class));
      case ReferenceRoot::Artifact: {
        const auto found = artifacts_.find(reference.name);
        if (found == artifacts_.end()) return std::nullopt;
        return found->second.substr(found->second.rfind('@') + 1);
      }
      case ReferenceRoot::Resource:
      case ReferenceRoot::Change:
        return std::nullopt;
    }
    return std::nullopt;
  }

  [[nodiscard]] std::vector<ResourceAddress> dependencies(const Json& fields) const {
    std::vector<Reference> references;
    collect_references(fields, references);
    std::set<ResourceAddress> out;
    for (const auto& reference : references) {
      if (reference.root != ReferenceRoot::Resource) continue;
      const auto resource = template_.resources.find(reference.name);
      if (resource == template_.resources.end()) continue;
      if (!reference.index) {
        for (auto& address : addresses(reference.name)) out.insert(std::move(address));
      } else if (*reference.index < count_of(resource->second).value_or(0)) {
        out.insert({environment_.name, reference.name, reference.index});
      }
    }
    return {out.begin(), out.end()};
  }

  void find_deferred() {
    std::map<std::string, std::set<std::string>> dependents;
    std::vector<std::string> open;
    for (const auto& [name, resource] : template_.resources) {
      std::vector<Reference> references;
      collect_references(resource.fields, references);
      for (const auto& reference : references) {
        if (reference.root == ReferenceRoot::Resource) dependents[reference.name].insert(name);
        if (reference.root != ReferenceRoot::Artifact || artifacts_.contains(reference.name)) {
          continue;
        }
        const auto reason =
            fmt::format("It refers to the artifact \"{}\", and none is in this environment yet.",
                        reference.name);
        if (reasons_.emplace(name, reason).second) open.push_back(name);
      }
    }
    while (!open.empty()) {
      const auto name = std::move(open.back());
      open.pop_back();
      for (const auto& dependent : dependents[name]) {
        const auto reason = fmt::format("It depends on \"{}\", which is deferred.", name);
        if (reasons_.emplace(dependent, reason).second) open.push_back(dependent);
      }
    }
  }

  const Template& template_;
  const Environment& environment_;
  const std::map<std::string, std::string>& artifacts_;
  std::map<std::string, Json> parameters_;
  std::map<std::string, std::string> reasons_;  ///< Deferred resources.
};

Json digested_form(const DesiredResource& resource) {
  Json depends_on = Json::array();
  for (const auto& address : resource.depends_on) depends_on.push_back(address.str());
  return {{"address", resource.address.str()},
          {"type", resource.type},
          {"fields", resource.fields},
          {"depends_on", std::move(depends_on)},
          {"protect", resource.protect}};
}

std::string digest_of_expansion(const Expansion& expansion) {
  Json deferred = Json::array();
  for (const auto& each : expansion.deferred) deferred.push_back(each.address.str());
  return digest_with_list({{"deferred", std::move(deferred)}}, "resources",
                          expansion.resources.size(),
                          [&](std::size_t i) { return digested_form(expansion.resources[i]); });
}

ResourceReference public_form(const Reference& reference) {
  return {reference.name, reference.index, reference.attribute};
}

}  // namespace

Expansion expand(const Bundle& bundle, const Environment& environment,
                 const std::map<std::string, std::string>& artifacts) {
  Expansion expansion;
  const auto of = bundle.templates.find(environment.template_name);
  if (of != bundle.templates.end()) {
    expansion = Expander(of->second, environment, artifacts).run();
  }
  expansion.spec_digest = digest_of_expansion(expansion);
  return expansion;
}

Result<Json> resolve_references(const Json& fields, const ReferenceLookup& lookup) {
  std::optional<std::string> unknown;
  auto resolved =
      spec::substitute_all(fields, [&](const Reference& reference) -> std::optional<Json> {
        if (reference.root != ReferenceRoot::Resource) return std::nullopt;
        auto value = lookup(public_form(reference));
        if (value || unknown) return value;
        const auto index = reference.index ? fmt::format("[{}]", *reference.index) : "";
        unknown = fmt::format("${{resource.{}{}{}{}}}", reference.name, index,
                              reference.attribute.empty() ? "" : ".", reference.attribute);
        return std::nullopt;
      });
  if (unknown) return fail(ErrorKind::FailedPrecondition, *unknown + " is not known");
  return resolved;
}

std::vector<ResourceReference> resource_references(const Json& fields) {
  std::vector<Reference> references;
  collect_references(fields, references);
  std::set<ResourceReference> out;
  for (const auto& reference : references) {
    if (reference.root == ReferenceRoot::Resource) out.insert(public_form(reference));
  }
  return {out.begin(), out.end()};
}

std::vector<std::string> fill_command(const std::vector<std::string>& command,
                                      const Environment& environment, std::string_view change) {
  std::vector<std::string> out;
  for (const auto& word : command) {
    const Json filled =
        spec::substitute(word, [&](const Reference& reference) -> std::optional<Json> {
          if (reference.root == ReferenceRoot::Change) return std::string(change);
          if (reference.root != ReferenceRoot::Environment) return std::nullopt;
          if (reference.name == "name") return environment.name;
          return std::string(to_string(environment.environment_class));
        });
    out.push_back(filled.get<std::string>());
  }
  return out;
}

}  // namespace bailey
