#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "providers/openstack/resource_type.hpp"

namespace bailey::openstack {

namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::int64_t kShortest = 8;
constexpr std::int64_t kLongest = 4096;

/// A Barbican secret whose content is made here, sent once and never read back.
///
/// Barbican lists secrets without their metadata, so the marker is part of the name: `<unique name>
/// <marker>`. Name and content go in one call, so there is nothing half made.
class SecretType final : public ResourceType {
 public:
  [[nodiscard]] ResourceTypeSchema schema() const override;
  Result<Observed> create(const Work& work, const ResourceRequest& request) const override;
  Result<std::optional<Observed>> read(const Work& work, const std::string& id) const override;
  Result<Observed> update(const Work& work, const ResourceRequest& request, const std::string& id,
                          const Json& before) const override;
  Status remove(const Work& work, const std::string& id) const override;
  Result<std::vector<Observed>> list(const Work& work) const override;
};

ResourceTypeSchema SecretType::schema() const {
  ResourceTypeSchema schema;
  schema.name = "secret";
  schema.description = "A random secret in the cloud's key manager.";
  schema.fields = {
      field("generate", FieldType::Object, "What is made.",
            {.required = true,
             .replaces = true,
             .fields = {field("length", FieldType::Integer, "How many characters, 8 to 4096.",
                              {.required = true}),
                        field("alphabet", FieldType::String,
                              "The characters to choose from; left out: letters and digits.")}})};
  schema.attributes = {{"id", "The id of the secret."},
                       {"ref", "The address at which the key manager gives it out."}};
  return schema;
}

std::string last_part(const std::string& href) {
  return href.substr(href.rfind('/') + 1);
}

Observed observe(const std::string& href, const std::string& name) {
  const auto blank = name.find(' ');
  auto marker = blank == std::string::npos ? std::nullopt : Marker::parse(name.substr(blank + 1));
  return {.type = "secret",
          .provider_id = last_part(href),
          .inputs = Json::object(),
          .attributes = {{"id", last_part(href)}, {"ref", href}},
          .marker = std::move(marker),
          .name = name};
}

Result<Secret> generate(const Json& how, Random& random) {
  const auto& length = member(how, "length");
  if (!length.is_number_integer() || length < kShortest || length > kLongest) {
    return fail(ErrorKind::InvalidArgument,
                "the length of a generated secret is a whole number from 8 to 4096");
  }
  std::string alphabet(kAlphabet);
  if (member(how, "alphabet").is_string()) alphabet = string_member(how, "alphabet");
  // Whole characters: cutting UTF-8 into bytes would make something that is no text.
  for (const char c : alphabet) {
    if (c < 0x20 || c > 0x7E) {
      return fail(ErrorKind::InvalidArgument,
                  "the alphabet of a generated secret is made of printable ASCII characters");
    }
  }
  if (alphabet.find_first_not_of(alphabet.empty() ? '\0' : alphabet.front()) == std::string::npos) {
    return fail(ErrorKind::InvalidArgument,
                "the alphabet of a generated secret has at least two different characters");
  }
  std::string text;
  for (auto left = length.get<std::int64_t>(); left > 0; --left) {
    text += alphabet[random.below(alphabet.size())];
  }
  return Secret(std::move(text));
}

Result<Observed> SecretType::create(const Work& work, const ResourceRequest& request) const {
  auto payload = generate(member(request.inputs, "generate"), work.doors.random);
  if (!payload) return fail(std::move(payload.error()));
  const auto name = request.marker.unique_name() + " " + request.marker.str();
  auto made = work.api.post(Service::KeyManager, "/secrets",
                            {{"name", name},
                             {"secret_type", "passphrase"},
                             {"payload", std::string(payload->reveal())},
                             {"payload_content_type", "text/plain"}},
                            Quote::No);
  if (!made) return fail(std::move(made.error()));
  auto href = require_string(*made, "secret_ref");
  if (!href) return fail(std::move(href.error()));
  return observe(*href, name);
}

Result<std::optional<Observed>> SecretType::read(const Work& work, const std::string& id) const {
  auto found = work.api.find(Service::KeyManager, "/secrets/" + percent_encode(id));
  if (!found) return fail(std::move(found.error()));
  if (!*found) return std::optional<Observed>();
  return std::optional<Observed>(
      observe(string_member(**found, "secret_ref"), string_member(**found, "name")));
}

Result<Observed> SecretType::update(const Work& work, const ResourceRequest& /*request*/,
                                    const std::string& id, const Json& /*before*/) const {
  auto now = read(work, id);
  if (!now) return fail(std::move(now.error()));
  if (!*now) return vanished("secret", id);
  return std::move(**now);
}

Status SecretType::remove(const Work& work, const std::string& id) const {
  return work.api.remove(Service::KeyManager, "/secrets/" + percent_encode(id));
}

Result<std::vector<Observed>> SecretType::list(const Work& work) const {
  auto secrets = work.api.list(Service::KeyManager, "/secrets?limit=100", "secrets");
  if (!secrets) return fail(std::move(secrets.error()));
  std::vector<Observed> all;
  for (const auto& secret : *secrets) {
    all.push_back(observe(string_member(secret, "secret_ref"), string_member(secret, "name")));
  }
  return all;
}

}  // namespace

std::unique_ptr<ResourceType> secret_type() {
  return std::make_unique<SecretType>();
}

}  // namespace bailey::openstack
