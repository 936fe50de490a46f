#include "providers/openstack/login_options.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/base/yaml.hpp"

#include <cctype>
#include <vector>

namespace bailey::openstack {

namespace {

Error unreadable(const std::string& what, std::size_t line = 0) {
  return Error(ErrorKind::InvalidArgument,
               line == 0 ? what : what + " (line " + std::to_string(line) + ")");
}

/// By the first thing that it says: an object, an assignment, or else a map of clouds.
LoginForm form_of(std::string_view text) {
  if (trim(text).starts_with('{')) return LoginForm::Json;
  for (const auto& line : split(text, '\n')) {
    auto rest = trim(line);
    if (rest.starts_with("export ") || rest.starts_with("OS_")) return LoginForm::OpenRc;
  }
  return LoginForm::CloudsYaml;
}

Result<LoginOptions> read_json_login(std::string_view text) {
  const auto json = parse_json(text);
  if (!json || !json->is_object()) return fail(unreadable("the credential is no JSON object"));
  LoginOptions options(LoginForm::Json);
  for (const auto& [name, value] : json->items()) {
    if (value.is_string()) options.set(name, value.get<std::string>(), 0);
    if (value.is_boolean()) options.set(name, value.get<bool>() ? "true" : "false", 0);
  }
  return options;
}

void take_scalars(LoginOptions& options, const YamlNode& map) {
  for (const auto& [key, value] : map.entries) {
    if (value.kind == YamlKind::Scalar) options.set(key.scalar, value.scalar, value.line);
  }
}

Result<const YamlNode*> chosen_cloud(const YamlNode& clouds, const std::string& cloud) {
  std::vector<std::string> names;
  for (const auto& entry : clouds.entries) names.push_back("\"" + entry.key.scalar + "\"");
  if (cloud.empty() && clouds.entries.size() == 1) return &clouds.entries.front().value;
  if (cloud.empty()) {
    return fail(unreadable("the clouds.yaml describes the clouds " + enumerate(names) +
                           ", and the account's credential says with no \"cloud\" which is meant"));
  }
  if (const auto* found = clouds.find(cloud)) return found;
  return fail(unreadable("the clouds.yaml describes no cloud \"" + cloud + "\"; there is " +
                         enumerate(names)));
}

}  // namespace

void LoginOptions::set(const std::string& name, std::string value, std::size_t line) {
  if (!value.empty()) options_[name] = {Secret(std::move(value)), line};
}

std::string LoginOptions::get(const std::string& name) const {
  return std::string(secret(name).reveal());
}

Secret LoginOptions::secret(const std::string& name) const {
  const auto found = options_.find(name);
  return found == options_.end() ? Secret() : found->second.value;
}

std::string LoginOptions::place(const std::string& name) const {
  std::string shown = name;
  if (form_ == LoginForm::OpenRc) {
    shown.insert(0, "os_");
    for (char& c : shown) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  shown = "\"" + shown + "\"";
  const auto found = options_.find(name);
  if (found == options_.end() || found->second.line == 0) return shown;
  return shown + " (line " + std::to_string(found->second.line) + ")";
}

Result<LoginOptions> read_clouds_yaml(std::string_view text, const std::string& cloud) {
  Diagnostics findings;
  const auto documents = parse_yaml("clouds.yaml", text, findings);
  if (!documents) {
    // The summary alone: what a finding says in detail may quote the line.
    const auto first = findings.sorted().front();
    return fail(unreadable("the credential is no clouds.yaml that can be read: " + first.summary,
                           first.subject ? first.subject->line : 0));
  }
  const auto* clouds = documents->size() == 1 ? documents->front().find("clouds") : nullptr;
  if (clouds == nullptr || clouds->kind != YamlKind::Map || clouds->entries.empty()) {
    return fail(
        unreadable("the credential is neither a JSON object nor a clouds.yaml nor an openrc file"));
  }
  const auto chosen = chosen_cloud(*clouds, cloud);
  if (!chosen) return fail(Error(chosen.error()));
  LoginOptions options(LoginForm::CloudsYaml);
  take_scalars(options, **chosen);
  if (const auto* auth = (*chosen)->find("auth")) take_scalars(options, *auth);
  return options;
}

Result<LoginOptions> read_login_options(const Secret& credential, const std::string& cloud) {
  const auto text = credential.reveal();
  const auto form = form_of(text);
  if (form == LoginForm::CloudsYaml) return read_clouds_yaml(text, cloud);
  if (!cloud.empty()) {
    return fail(unreadable("the account's credential chooses the cloud \"" + cloud +
                           "\", and what it reads is no clouds.yaml"));
  }
  return form == LoginForm::Json ? read_json_login(text) : read_openrc(text);
}

}  // namespace bailey::openstack
