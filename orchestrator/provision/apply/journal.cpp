#include "orchestrator/provision/apply/journal.hpp"

#include "orchestrator/model/json_reader.hpp"

#include <algorithm>

namespace bailey {

namespace {

using Json = nlohmann::json;

/// So that the records and what is read from them are not all in memory at once.
constexpr std::size_t kPage = 256;

Result<ResourceAddress> address_from_json(const Json& value) {
  if (value.is_string()) {
    if (auto address = ResourceAddress::parse(value.get_ref<const std::string&>())) return *address;
  }
  return fail(ErrorKind::Protocol, "not the address of a resource");
}

Json to_json(const std::vector<ResourceAddress>& addresses) {
  Json list = Json::array();
  for (const auto& address : addresses) list.push_back(address.str());
  return list;
}

Result<Superseded> superseded_from_json(const Json& value) {
  Superseded superseded;
  JsonReader reader(value, "a superseded resource");
  reader.read("type", superseded.type);
  reader.read("provider_id", superseded.provider_id);
  reader.read("attributes", superseded.attributes);
  reader.read_list("depends_on", superseded.depends_on, address_from_json);
  if (auto read = reader.finish(); !read) return fail(std::move(read.error()));
  return superseded;
}

/// Every record under `<environment>/`, read by `from_json`.
template <class T, class FromJson>
Result<std::vector<T>> load(Transaction& transaction, Collection collection,
                            const std::string& environment, FromJson from_json) {
  std::vector<T> values;
  ListOptions page{.prefix = environment + "/", .after = {}, .limit = kPage};
  for (;;) {
    auto records = transaction.list(collection, page);
    if (!records) return fail(std::move(records.error()));
    for (const auto& record : *records) {
      Result<T> value = from_json(record.body);
      if (!value) return fail(std::move(value.error()).in("reading the record of " + record.key));
      values.push_back(*std::move(value));
    }
    if (records->size() < kPage) break;
    page.after = std::move(records->back().key);
  }
  std::sort(values.begin(), values.end(),
            [](const T& left, const T& right) { return left.address < right.address; });
  return values;
}

}  // namespace

std::string_view to_string(Verb verb) noexcept {
  switch (verb) {
    case Verb::Create:
      return "create";
    case Verb::Update:
      return "update";
    case Verb::Delete:
      return "delete";
    case Verb::Retire:
      return "retire";
  }
  return "";
}

std::string_view to_string(Phase phase) noexcept {
  switch (phase) {
    case Phase::Intent:
      return "intent";
    case Phase::Sent:
      return "sent";
    case Phase::Observed:
      return "observed";
  }
  return "";
}

Json to_json(const Intent& intent) {
  Json superseded = Json::array();
  for (const auto& each : intent.superseded) {
    superseded.push_back({{"type", each.type},
                          {"provider_id", each.provider_id},
                          {"attributes", each.attributes},
                          {"depends_on", to_json(each.depends_on)}});
  }
  return {{"address", intent.address.str()},
          {"verb", to_string(intent.verb)},
          {"phase", to_string(intent.phase)},
          {"operation", intent.operation},
          {"type", intent.type},
          {"marker", intent.marker.str()},
          {"provider_id", intent.provider_id},
          {"inputs", intent.inputs},
          {"before", intent.before},
          {"depends_on", to_json(intent.depends_on)},
          {"superseded", std::move(superseded)},
          {"plan_digest", intent.plan_digest},
          {"time", intent.time}};
}

Result<Intent> intent_from_json(const Json& value) {
  Intent intent;
  JsonReader reader(value, "an intent");
  reader.read_text("address", intent.address, ResourceAddress::parse);
  reader.read_word("verb", {Verb::Create, Verb::Update, Verb::Delete, Verb::Retire}, intent.verb);
  reader.read_word("phase", {Phase::Intent, Phase::Sent, Phase::Observed}, intent.phase);
  reader.read("operation", intent.operation);
  reader.read("type", intent.type);
  reader.read_text("marker", intent.marker, Marker::parse);
  reader.read("provider_id", intent.provider_id);
  reader.read("inputs", intent.inputs);
  reader.read("before", intent.before);
  reader.read_list("depends_on", intent.depends_on, address_from_json);
  reader.read_list("superseded", intent.superseded, superseded_from_json);
  reader.read("plan_digest", intent.plan_digest);
  reader.read("time", intent.time);
  if (auto read = reader.finish(); !read) return fail(std::move(read.error()));
  return intent;
}

Result<std::vector<ResourceState>> load_resources(Transaction& transaction,
                                                  const std::string& environment) {
  return load<ResourceState>(transaction, Collection::Resource, environment,
                             resource_state_from_json);
}

Result<std::vector<Intent>> load_intents(Transaction& transaction, const std::string& environment) {
  return load<Intent>(transaction, Collection::Intent, environment, intent_from_json);
}

Result<std::optional<EnvironmentState>> load_environment(Transaction& transaction,
                                                         const std::string& environment) {
  auto record = transaction.get(Collection::Environment, environment);
  if (!record) return fail(std::move(record.error()));
  if (!*record) return std::optional<EnvironmentState>();
  auto state = environment_state_from_json((*record)->body);
  if (!state) return fail(std::move(state.error()).in("reading the record of " + environment));
  return std::optional(*std::move(state));
}

}  // namespace bailey
