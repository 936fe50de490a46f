#include "orchestrator/provision/credential/credential_rows.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/model/grant.hpp"
#include "orchestrator/model/json_reader.hpp"

#include <fmt/format.h>

namespace bailey::credential {

namespace {

Json to_json(const IdentityRow& row) {
  return {{"id", row.id}, {"environment_uid", row.environment_uid.str()}, {"grants", row.grants}};
}

Result<IdentityRow> identity_from(const Record& record) {
  IdentityRow row;
  row.role = record.key.substr(record.key.find('/') + 1);
  JsonReader reader(record.body, "an identity");
  reader.read("id", row.id);
  reader.read("environment_uid", row.environment_uid);
  reader.read("grants", row.grants);
  if (auto read = reader.finish(); !read) return fail(std::move(read.error()));
  return row;
}

template <class T, class FromJson>
Result<std::vector<T>> read_all(Transaction& transaction, Collection collection,
                                const std::string& prefix, FromJson from_json) {
  auto records = transaction.list(collection, {.prefix = prefix, .after = "", .limit = 0});
  if (!records) return fail(std::move(records.error()));
  std::vector<T> all;
  for (const auto& record : *records) {
    Result<T> one = from_json(record);
    if (!one) return fail(std::move(one.error()).in("reading " + record.key));
    all.push_back(*std::move(one));
  }
  return all;
}

Status without_version(Result<std::uint64_t> put) {
  if (!put) return fail(std::move(put.error()));
  return {};
}

}  // namespace

bool expired(const std::string& time, WallTime now) {
  const auto parsed = parse_time(time);
  return !parsed || *parsed <= now;
}

std::string Rows::key(const std::string& name) const {
  return scope_.environment + "/" + name;
}

SealContext Rows::context_of(const Credential& credential) const {
  return {credential.id.str(), credential.environment_uid, scope_.environment_class};
}

SealContext Rows::context_of(const IdentityRow& row) const {
  return {fmt::format("identity/{}/{}", row.environment_uid.str(), row.role), row.environment_uid,
          scope_.environment_class};
}

Result<CredentialListing> Rows::all() {
  return in_transaction(tools_.store, Access::Read, [&](Transaction& transaction) {
    return list_credentials(transaction, scope_.environment);
  });
}

Result<std::vector<IdentityRow>> Rows::identities() {
  return in_transaction(tools_.store, Access::Read, [&](Transaction& transaction) {
    return read_all<IdentityRow>(transaction, Collection::Identity, key(""), identity_from);
  });
}

Result<std::optional<IdentityRow>> Rows::identity(const std::string& role) {
  auto rows = identities();
  if (!rows) return fail(std::move(rows.error()));
  for (auto& row : *rows) {
    if (row.role == role) return std::move(row);
  }
  return std::nullopt;
}

Status Rows::act(const Act& act, const std::function<Status(Transaction&)>& write) {
  return in_transaction(tools_.store, Access::Write, [&](Transaction& transaction) -> Status {
    if (auto written = write(transaction); !written) return written;
    AuditEntry entry;
    entry.time = format_time(tools_.clock.wall_now());
    entry.actor = actor_.name;
    entry.proof = actor_.proof;
    entry.action = act.action;
    entry.target = act.target;
    entry.outcome = act.outcome;
    entry.detail = act.detail;
    entry.request = actor_.request;
    return without_version(transaction.append(entry));
  });
}

Status Rows::put(Transaction& transaction, const Credential& credential) {
  return without_version(transaction.put(Collection::Credential, key(credential.id.str()),
                                         bailey::to_json(credential)));
}

Status Rows::put(Transaction& transaction, const Lease& lease) {
  return without_version(
      transaction.put(Collection::Lease, key(lease.id.str()), bailey::to_json(lease)));
}

Status Rows::put(Transaction& transaction, const IdentityRow& row) {
  return without_version(transaction.put(Collection::Identity, key(row.role), to_json(row)));
}

Status Rows::put_secret(Transaction& transaction, const SealContext& context,
                        const Secret& secret) {
  auto sealed = tools_.sealer.seal(secret, context);
  if (!sealed) return fail(std::move(sealed.error()));
  return without_version(transaction.put(Collection::Sealed, context.id, *sealed));
}

Status Rows::erase(Transaction& transaction, Collection collection, const std::string& key) {
  auto erased = transaction.erase(collection, key);
  if (!erased) return fail(std::move(erased.error()));
  return {};
}

Result<std::optional<Secret>> Rows::secret(const SealContext& context) {
  auto record = in_transaction(tools_.store, Access::Read, [&](Transaction& transaction) {
    return transaction.get(Collection::Sealed, context.id);
  });
  if (!record) return fail(std::move(record.error()));
  if (!*record) return std::nullopt;
  const auto& body = (*record)->body;
  auto opened = tools_.opener.open(body.is_string() ? body.get<std::string>() : "", context);
  if (!opened) return fail(std::move(opened.error()));
  return *std::move(opened);
}

}  // namespace bailey::credential

namespace bailey {

Result<CredentialListing> list_credentials(Transaction& transaction,
                                           const std::string& environment) {
  const auto prefix = environment + "/";
  auto credentials = credential::read_all<Credential>(
      transaction, Collection::Credential, prefix,
      [](const Record& record) { return credential_from_json(record.body); });
  if (!credentials) return fail(std::move(credentials.error()));
  auto leases = credential::read_all<Lease>(
      transaction, Collection::Lease, prefix,
      [](const Record& record) { return lease_from_json(record.body); });
  if (!leases) return fail(std::move(leases.error()));
  return CredentialListing{*std::move(credentials), *std::move(leases)};
}

CredentialScope scope_of(const Environment& environment, const Template& spec,
                         const EnvironmentState& state) {
  CredentialScope scope{environment.name, state.uid,  environment.environment_class,
                        state.boundary,   spec.roles, environment.credentials};
  if (environment.break_glass) {
    scope.roles[std::string(kBreakGlassRole)] = break_glass_role(spec);
  }
  return scope;
}

}  // namespace bailey
