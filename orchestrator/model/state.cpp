#include "orchestrator/model/state.hpp"

#include "orchestrator/model/json_reader.hpp"

namespace bailey {

namespace {

using Json = nlohmann::json;

Result<ResourceAddress> address_from_json(const Json& value) {
  if (value.is_string()) {
    if (auto address = ResourceAddress::parse(value.get_ref<const std::string&>())) return *address;
  }
  return fail(ErrorKind::Protocol, "not the address of a resource");
}

}  // namespace

std::string_view to_string(EnvironmentStatus status) noexcept {
  switch (status) {
    case EnvironmentStatus::Absent:
      return "absent";
    case EnvironmentStatus::Applying:
      return "applying";
    case EnvironmentStatus::Ready:
      return "ready";
    case EnvironmentStatus::Failed:
      return "failed";
    case EnvironmentStatus::Imported:
      return "imported";
    case EnvironmentStatus::Partial:
      return "partial";
    case EnvironmentStatus::Destroying:
      return "destroying";
    case EnvironmentStatus::Destroyed:
      return "destroyed";
  }
  return "";
}

Json to_json(const ResourceState& state) {
  Json depends_on = Json::array();
  for (const auto& address : state.depends_on) depends_on.push_back(address.str());
  return {{"address", state.address.str()},
          {"type", state.type},
          {"provider_id", state.provider_id},
          {"inputs", state.inputs},
          {"attributes", state.attributes},
          {"depends_on", std::move(depends_on)},
          {"generation", state.generation},
          {"made_at", state.made_at},
          {"protect", state.protect},
          {"marked_as", state.marked_as ? Json(state.marked_as->str()) : Json()}};
}

Json to_json(const EnvironmentState& state) {
  return {{"uid", state.uid.str()},
          {"name", state.name},
          {"status", to_string(state.status)},
          {"serial", state.serial},
          {"boundary", state.boundary},
          {"artifacts", state.artifacts},
          {"template_digest", state.template_digest},
          {"receipt", state.receipt},
          {"made_at", state.made_at},
          {"extended_until", state.extended_until},
          {"left", state.left}};
}

Json to_json(const VerifiedItem& item) {
  return {{"environment", item.environment},
          {"digest", item.digest},
          {"since", item.since},
          {"change", item.change}};
}

Result<ResourceState> resource_state_from_json(const Json& value) {
  ResourceState state;
  JsonReader reader(value, "a resource state");
  reader.read_text("address", state.address, ResourceAddress::parse);
  reader.read("type", state.type);
  reader.read("provider_id", state.provider_id);
  reader.read("inputs", state.inputs);
  reader.read("attributes", state.attributes);
  reader.read_list("depends_on", state.depends_on, address_from_json);
  reader.read("generation", state.generation);
  reader.read("made_at", state.made_at);
  reader.read("protect", state.protect);
  if (const auto& marked = reader.at("marked_as"); !marked.is_null()) {
    if (auto address = address_from_json(marked)) {
      state.marked_as = *std::move(address);
    } else {
      reader.refuse("marked_as", "is not the address of a resource");
    }
  }
  if (auto read = reader.finish(); !read) return fail(std::move(read.error()));
  return state;
}

Result<EnvironmentState> environment_state_from_json(const Json& value) {
  EnvironmentState state;
  JsonReader reader(value, "an environment state");
  reader.read("uid", state.uid);
  reader.read("name", state.name);
  reader.read_word(
      "status",
      {EnvironmentStatus::Absent, EnvironmentStatus::Applying, EnvironmentStatus::Ready,
       EnvironmentStatus::Failed, EnvironmentStatus::Imported, EnvironmentStatus::Partial,
       EnvironmentStatus::Destroying, EnvironmentStatus::Destroyed},
      state.status);
  reader.read("serial", state.serial);
  reader.read("boundary", state.boundary);
  reader.read("artifacts", state.artifacts);
  reader.read("template_digest", state.template_digest);
  reader.read("receipt", state.receipt);
  reader.read("made_at", state.made_at);
  reader.read("extended_until", state.extended_until);
  reader.read("left", state.left);
  if (auto read = reader.finish(); !read) return fail(std::move(read.error()));
  return state;
}

Result<VerifiedItem> verified_item_from_json(const Json& value) {
  VerifiedItem item;
  JsonReader reader(value, "a verified item");
  reader.read("environment", item.environment);
  reader.read("digest", item.digest);
  reader.read("since", item.since);
  reader.read("change", item.change);
  if (auto read = reader.finish(); !read) return fail(std::move(read.error()));
  return item;
}

}  // namespace bailey
