#include "orchestrator/serve/engine/standing_bundle.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/serve/engine/records.hpp"

namespace bailey {

namespace {

constexpr std::string_view kPrefix = "removed/";

void add_document(Bundle& bundle, const Bundle& from, const char* kind, const std::string& name) {
  const auto& spec = from.document(kind, name);
  if (spec.is_null() || !bundle.document(kind, name).is_null()) return;
  bundle.documents.push_back({{"kind", kind}, {"name", name}, {"spec", spec}});
}

// What it needs and the accepted bundle has no more comes along from the time when it was declared.
void add_environment(Bundle& bundle, const Bundle& from, const Environment& environment) {
  bundle.environments.emplace(environment.name, environment);
  add_document(bundle, from, "Environment", environment.name);
  add_document(bundle, from, "Account", environment.account);
  add_document(bundle, from, "Template", environment.template_name);
  add_document(bundle, from, "Project", environment.project);
  const auto copy = [](auto& into, const auto& source, const std::string& name) {
    if (const auto found = source.find(name); found != source.end())
      into.emplace(name, found->second);
  };
  copy(bundle.accounts, from.accounts, environment.account);
  copy(bundle.templates, from.templates, environment.template_name);
  copy(bundle.projects, from.projects, environment.project);
  for (const auto& [path, bytes] : from.files) bundle.files.emplace(path, bytes);
}

}  // namespace

Result<BundlePointer> standing_bundle(Engine& engine, Transaction& transaction) {
  auto accepted = engine.bundle(transaction);
  if (!accepted) return accepted;
  auto removed = transaction.list(Collection::Setting,
                                  {.prefix = std::string(kPrefix), .after = {}, .limit = 0});
  if (!removed) return fail(std::move(removed.error()).in("reading what is no longer declared"));
  std::shared_ptr<Bundle> composed;
  for (const auto& record : *removed) {
    const auto name = record.key.substr(kPrefix.size());
    if ((*accepted)->environment(name) != nullptr) continue;
    auto from = engine.bundle(transaction, string_member(record.body, "bundle"));
    if (!from) return from;
    const auto* environment = (*from)->environment(name);
    if (environment == nullptr) {
      return fail(ErrorKind::Internal, "the bundle that last declared " + name + " does not");
    }
    if (!composed) composed = std::make_shared<Bundle>(**accepted);
    add_environment(*composed, **from, *environment);
  }
  if (composed) return BundlePointer(std::move(composed));
  return accepted;
}

Result<BundlePointer> standing_bundle(Engine& engine) {
  return in_transaction(engine.store(), Access::Read, [&](Transaction& transaction) {
    return standing_bundle(engine, transaction);
  });
}

Status note_removed(Transaction& transaction, const Bundle& before, const Bundle& after) {
  for (const auto& [name, environment] : before.environments) {
    if (after.environment(name) != nullptr) continue;
    auto written = transaction.put(Collection::Setting, std::string(kPrefix) + name,
                                   {{"bundle", before.digest}});
    if (!written) return fail(std::move(written.error()).in("noting what is no longer declared"));
  }
  return {};
}

Result<std::vector<std::string>> standing_environments(Transaction& transaction) {
  auto records = transaction.list(Collection::Environment, {.prefix = "", .after = {}, .limit = 0});
  if (!records) return fail(std::move(records.error()).in("reading the environments"));
  std::vector<std::string> names;
  for (const auto& record : *records) {
    auto state = environment_state_from_json(record.body);
    if (!state) return fail(std::move(state.error()).in("reading " + record.key));
    if (state->status == EnvironmentStatus::Absent ||
        state->status == EnvironmentStatus::Destroyed) {
      continue;
    }
    names.push_back(record.key);
  }
  return names;
}

}  // namespace bailey
