#include "orchestrator/declare/spec/field_table.hpp"

#include "orchestrator/model/vocabulary.hpp"

#include <utility>

namespace bailey::spec {

namespace {

ValueTable text(TextFormat format = TextFormat::Any) {
  ValueTable value;
  value.format = format;
  return value;
}

ValueTable one_of(std::vector<std::string> allowed) {
  ValueTable value;
  value.allowed = std::move(allowed);
  return value;
}

ValueTable with_references(ValueTable value) {
  value.references = true;
  return value;
}

ValueTable integer(std::int64_t minimum, std::int64_t maximum) {
  ValueTable value;
  value.type = ValueType::Integer;
  value.minimum = minimum;
  value.maximum = maximum;
  return value;
}

ValueTable of_type(ValueType type) {
  ValueTable value;
  value.type = type;
  return value;
}

ValueTable list(ValueTable element, std::size_t min_items = 0, bool unique = true) {
  ValueTable value;
  value.type = ValueType::List;
  value.element = std::make_shared<const ValueTable>(std::move(element));
  value.min_items = min_items;
  value.unique = unique;
  return value;
}

ValueTable map(TextFormat key_format, ValueTable element, std::size_t min_items = 0) {
  ValueTable value;
  value.type = ValueType::Map;
  value.element = std::make_shared<const ValueTable>(std::move(element));
  value.key_format = key_format;
  value.min_items = min_items;
  return value;
}

ValueTable object(std::vector<FieldTable> fields) {
  ValueTable value;
  value.type = ValueType::Object;
  value.fields = std::move(fields);
  return value;
}

ValueTable exactly_one(std::vector<FieldTable> fields) {
  ValueTable value = object(std::move(fields));
  value.exactly_one = true;
  return value;
}

FieldTable required(std::string name, std::string description, ValueTable value) {
  return {std::move(name), std::move(description), true, true, std::move(value), false};
}

FieldTable optional(std::string name, std::string description, ValueTable value) {
  return {std::move(name), std::move(description), false, true, std::move(value), false};
}

FieldTable beside(FieldTable field) {
  field.beside = true;
  return field;
}

FieldTable not_yet(FieldTable field) {
  field.effective = false;
  return field;
}

std::vector<std::string> class_names() {
  std::vector<std::string> names;
  for (const auto each : all_environment_classes()) names.emplace_back(to_string(each));
  return names;
}

std::vector<std::string> power_names() {
  std::vector<std::string> names;
  for (const auto each : all_powers()) names.emplace_back(to_string(each));
  return names;
}

ValueTable subjects() {
  return list(text(TextFormat::Subject), 1);
}
ValueTable duration() {
  return text(TextFormat::Duration);
}
ValueTable command() {
  return list(with_references(text()), 1, false);
}

constexpr std::int64_t kMaxPeople = 100;

ValueTable directory_spec() {
  auto keys = list(text(TextFormat::SshKey));
  auto person = object({
      required("email", "Address by which authors of commits are recognised.",
               text(TextFormat::Email)),
      optional("keys", "OpenSSH public keys with which this person signs.", keys),
  });
  auto oidc = object({
      required("issuer", "Issuer of the tokens.", text(TextFormat::Url)),
      required("audience", "Audience that a token must name.", text()),
      required("claims", "Claims that a token must carry, each exactly so.",
               map(TextFormat::Any, text(), 1)),
  });
  auto service = object({
      required("controlledBy",
               "Who can make it act. For duties they count as holding what it holds.", subjects()),
      optional("keys", "OpenSSH or PEM public keys with which it signs evidence.",
               list(text(TextFormat::ServiceKey))),
      optional("oidc", "Tokens by which it is recognised.", oidc),
  });
  return object({
      optional("people", "People by name.", map(TextFormat::PersonName, person)),
      optional("services", "Machine identities by name.", map(TextFormat::Name, service)),
      optional("groups", "Groups by name; a group may hold people, services and groups.",
               map(TextFormat::Name, list(text(TextFormat::Subject)))),
  });
}

ValueTable organization_spec() {
  return object({required(
      "administrators", "Who may change what decides.",
      object({required("members", "The administrators.", subjects()),
              required("approvals", "How many of them must agree.", integer(1, kMaxPeople))}))});
}

ValueTable account_spec() {
  std::vector<FieldTable> domains;
  for (const auto& name : class_names()) {
    domains.push_back(
        optional(name, "Name or id of the domain for this class.", text(TextFormat::Line)));
  }
  return object({
      required("provider", "The provider, for example openstack.", text(TextFormat::Provider)),
      required("classes", "Environment classes that may use this account.",
               list(one_of(class_names()), 1)),
      optional("endpoint", "Address of the provider's API; may be left to the credential.",
               text(TextFormat::Url)),
      optional("region", "Region at the provider.", text()),
      optional("interface", "Which of the provider's endpoints are used.",
               one_of({"public", "internal", "admin"})),
      optional("caFile", "PEM file of the authorities to trust, instead of the system's.",
               text(TextFormat::Line)),
      optional("domains", "Where the provider keeps the environments of each class.",
               object(std::move(domains))),
      required("credential", "Where the secret is read from when it is needed; never the secret.",
               exactly_one({
                   optional("file", "Path of a file that only its owner can read.", text()),
                   optional("env", "Environment variable, or all that begin so: \"OS_*\".",
                            text(TextFormat::Variable)),
                   optional("command", "Program that prints it.", list(text(), 1, false)),
                   beside(optional("cloud", "Which cloud of a clouds.yaml it is.",
                                   text(TextFormat::Line))),
               })),
      optional("limits", "How hard the account may be used.",
               object({
                   optional("concurrency", "Operations in flight.", integer(1, 1024)),
                   optional("requestsPerSecond", "Requests per second.", integer(1, 100'000)),
                   optional("sandboxesPerOwner", "Sandboxes that one person may have.",
                            integer(1, 1000)),
                   optional("maximumTtl", "The longest life of a sandbox.", duration()),
               })),
  });
}

ValueTable template_spec() {
  auto parameter = object({
      required("type", "Type of its values.", one_of({"string", "integer", "boolean"})),
      optional("default", "Value where an environment gives none.", of_type(ValueType::Scalar)),
      optional("enum", "The values that are allowed.", list(of_type(ValueType::Scalar), 1)),
      optional("minimum", "The smallest integer.", integer(-1'000'000'000, 1'000'000'000)),
      optional("maximum", "The largest integer.", integer(-1'000'000'000, 1'000'000'000)),
      optional("description", "What it is for.", text()),
  });
  auto moved = object({
      required("from", "Its name until now; with an index for one instance.", text()),
      required("to", "Its name from now on.", text()),
  });
  auto role = object({
      required("powers", "What its holders may do in an environment.", list(one_of(power_names()))),
      optional("grants", "Roles at the provider.", list(text())),
  });
  return object({
      required("provider", "The provider that the resources are of.", text(TextFormat::Provider)),
      optional("parameters", "What an environment may choose.",
               map(TextFormat::FieldName, parameter)),
      optional("artifacts", "Slots for artifacts.", list(text(TextFormat::Name))),
      required("resources", "What an environment consists of.",
               map(TextFormat::Name, of_type(ValueType::Resource), 1)),
      optional("moved",
               "Resources that were declared under another name and keep standing, such as "
               "{from: web, to: api}.",
               list(moved, 1, false)),
      optional("outputs", "What an environment shows once it stands.",
               map(TextFormat::FieldName, with_references(text()))),
      optional("roles", "Named powers and provider grants.", map(TextFormat::Name, role)),
  });
}

ValueTable project_spec() {
  auto artifact = object({
      required("repository", "OCI repository.", text(TextFormat::Repository)),
      optional("account", "Account of the registry by which Bailey reads it; else anonymously.",
               text(TextFormat::Account)),
  });
  ValueTable stages = list(text(TextFormat::Environment), 1);
  stages.type = ValueType::ListOrMap;
  stages.key_format = TextFormat::Environment;
  stages.alternative = std::make_shared<const ValueTable>(object(
      {optional("after", "The stages before this one.", list(text(TextFormat::Environment)))}));
  return object({
      optional("artifacts", "What is promoted, by name.", map(TextFormat::Name, artifact)),
      required("authors", "Who writes it: they can approve none of its changes.", subjects()),
      required("stages", "Environments in order, or a map that says what comes after what.",
               stages),
  });
}

FieldTable timeout_field() {
  return optional("timeout", "How long it may run.", duration());
}

ValueTable condition() {
  auto rule = object({
      required("from", "Who can give it.", text(TextFormat::Subject)),
      optional("count", "How many different people.", integer(1, kMaxPeople)),
  });
  const auto stage = [] { return text(TextFormat::Environment); };
  return exactly_one({
      optional("verified", "What the change introduces was verified in a stage before.",
               object({required("in", "The stage.", stage())})),
      optional("soak", "It has run there for a while.",
               object({required("in", "The stage.", stage()),
                       required("for", "How long.", duration())})),
      optional("approvals", "Signed approvals; each person counts once.",
               object({required("rules", "Who must agree.", list(rule, 1, false)),
                       optional("expire", "How long an approval lives.", duration())})),
      optional("evidence", "A signed statement about each artifact.",
               object({required("type", "Predicate type.", text()),
                       required("signedBy", "Whose signature counts.", subjects())})),
      optional("check", "A program of the bundle that must end with 0.",
               object({required("command", "The program and its arguments.", command()),
                       timeout_field()})),
      optional("window", "Times in which changes may go in.",
               object({required("days", "Days of the week.",
                                list(one_of({"mon", "tue", "wed", "thu", "fri", "sat", "sun"}), 1)),
                       required("from", "Begin, such as \"09:00\".", text(TextFormat::ClockTime)),
                       required("to", "End, such as \"16:00\".", text(TextFormat::ClockTime)),
                       required("zone", "IANA time zone.", text(TextFormat::Zone))})),
  });
}

ValueTable break_glass() {
  return object({
      required("who", "Who may break the glass.", subjects()),
      optional("approvals", "How many others must agree.", integer(1, kMaxPeople)),
      required("ttl", "How long the access lives.", duration()),
      required("review", "Who must look at it afterwards.",
               object({required("from", "Who.", text(TextFormat::Subject)),
                       optional("count", "How many.", integer(1, kMaxPeople)),
                       required("within", "How soon.", duration())})),
  });
}

ValueTable environment_spec() {
  auto grantable = object({
      required("to", "Who may ask for it.", subjects()),
      optional("approvals", "How many others must agree.", integer(1, kMaxPeople)),
      required("ttl", "How long it lasts.", duration()),
  });
  auto credential = object({
      required("role", "Role of the template.", text(TextFormat::Name)),
      required("ttl", "How long one lives.", duration()),
      not_yet(optional("rotate", "How often it is replaced.", duration())),
  });
  auto repository = object({
      required("account", "Account of the registry.", text(TextFormat::Account)),
      required("repository", "OCI repository of this stage.", text(TextFormat::Repository)),
  });
  auto verification =
      object({required("command", "The program and its arguments.", command()), timeout_field()});
  return object({
      required("project", "The project it belongs to.", text(TextFormat::Project)),
      required("class", "Sets the floor of rules.", one_of(class_names())),
      required("account", "The account it lives on.", text(TextFormat::Account)),
      required("template", "What it is made from.", text(TextFormat::Template)),
      optional(
          "boundary", "How the wall around it is made at the provider.",
          object({
              optional("adopt", "Name or id of one that is there already.", text(TextFormat::Line)),
              optional("description", "Shown at the provider.", text()),
              optional("tags", "Tags at the provider.", list(text(TextFormat::Tag), 1)),
          })),
      optional("parameters", "Values of the template's parameters.",
               map(TextFormat::FieldName, of_type(ValueType::Scalar))),
      optional("bindings", "Who holds which role.", map(TextFormat::Name, subjects())),
      optional("grantable", "Roles on request, for a while.", map(TextFormat::Name, grantable)),
      optional("execute", "Who starts an approved change.", one_of({"on-approval", "by-operator"})),
      optional("credentials", "Credentials that are issued.", map(TextFormat::Name, credential)),
      optional("repositories", "The stage's own, into which Bailey copies artifacts by digest.",
               map(TextFormat::Name, repository)),
      optional("verify", "Programs that run after each change.", list(verification, 1, false)),
      optional("gate", "Conditions that must all hold before a change.",
               list(condition(), 0, false)),
      optional(
          "rollback", "How it goes back to an earlier release.",
          object({
              optional("gate", "In place of the environment's gate.", list(condition(), 1, false)),
              optional("onFailedVerification", "Roll back when `verify` fails.",
                       of_type(ValueType::Boolean)),
          })),
      optional("breakGlass", "Emergency access.", break_glass()),
      optional("owner", "The person a sandbox belongs to.", text(TextFormat::Person)),
      optional("ttl", "How long a sandbox lives.", duration()),
  });
}

ValueTable duties_spec() {
  auto exclusive = object({
      required("name", "Name of the duty.", text(TextFormat::Name)),
      required("holds", "What no person may hold together, such as author@payments.",
               list(text(TextFormat::Holding), 2)),
      optional("control", "Ids of the controls that it serves.", list(text())),
  });
  auto flow = object({
      required("from", "Environment that is written to.", text(TextFormat::Environment)),
      required("to", "Environment that reads it.", text(TextFormat::Environment)),
      required("what", "What flows.", text()),
  });
  return object({
      optional("exclusive", "Standings that exclude each other.", list(exclusive, 0, false)),
      optional("flows", "Data that one environment reads from another.", list(flow, 0, false)),
  });
}

ValueTable freeze_spec() {
  return object({
      optional("classes", "Classes that are frozen.", list(one_of(class_names()), 1)),
      optional("environments", "Environments that are frozen.",
               list(text(TextFormat::Environment), 1)),
      required("from", "Begin, RFC 3339.", text(TextFormat::Time)),
      required("to", "End, RFC 3339.", text(TextFormat::Time)),
      required("reason", "Why.", text()),
  });
}

ValueTable value_of(const FieldSchema& field);

std::vector<FieldTable> fields_of(const std::vector<FieldSchema>& schemas) {
  std::vector<FieldTable> fields;
  for (const auto& schema : schemas) {
    fields.push_back(
        {schema.name, schema.description, schema.required, true, value_of(schema), false});
  }
  return fields;
}

ValueTable value_of(const FieldSchema& field) {
  ValueTable string = with_references(text());
  string.refers_to = field.refers_to;
  if (field.format == "cidr") string.format = TextFormat::Cidr;
  if (field.format == "ip") string.format = TextFormat::Ip;
  for (const auto& each : field.allowed) {
    if (each.is_string()) string.allowed.push_back(each.get<std::string>());
  }
  switch (field.type) {
    case FieldType::String:
      return string;
    case FieldType::Integer: {
      ValueTable value = with_references(of_type(ValueType::Integer));
      if (field.format == "port") {
        value.minimum = 1;
        value.maximum = 65535;
      }
      return value;
    }
    case FieldType::Boolean:
      return with_references(of_type(ValueType::Boolean));
    case FieldType::StringList:
      return list(string, 0, false);
    case FieldType::StringMap:
      return map(TextFormat::Any, string);
    case FieldType::Object:
      return object(fields_of(field.fields));
    case FieldType::ObjectList:
      return list(object(fields_of(field.fields)), 0, false);
  }
  return string;
}

}  // namespace

const std::vector<KindTable>& kind_tables() {
  static const std::vector<KindTable> kTables{
      {"Directory", "People, services and groups.", TextFormat::Name, directory_spec()},
      {"Organization", "The root of trust.", TextFormat::Name, organization_spec()},
      {"Account", "One credential at one provider.", TextFormat::Name, account_spec()},
      {"Template", "A reusable set of resources and roles.", TextFormat::Name, template_spec()},
      {"Project", "What is promoted together, and through which stages.", TextFormat::Name,
       project_spec()},
      {"Environment", "One instance of a template.", TextFormat::Name, environment_spec()},
      {"Duties", "Separation constraints.", TextFormat::Name, duties_spec()},
      {"Freeze", "A time without changes.", TextFormat::Name, freeze_spec()},
  };
  return kTables;
}

const KindTable* find_kind(std::string_view kind) {
  for (const auto& table : kind_tables()) {
    if (table.kind == kind) return &table;
  }
  return nullptr;
}

const std::vector<FieldTable>& common_resource_fields() {
  static const std::vector<FieldTable> kFields{
      required("type", "Resource type of the provider.", text()),
      optional("count", "How many of it.", with_references(integer(0, 1000))),
      optional("protect", "Refuse to destroy it.", of_type(ValueType::Boolean)),
  };
  return kFields;
}

ValueTable resource_table(const ResourceTypeSchema& type) {
  auto fields = common_resource_fields();
  for (auto& field : fields_of(type.fields)) fields.push_back(std::move(field));
  return object(std::move(fields));
}

}  // namespace bailey::spec
