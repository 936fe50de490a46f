#include "orchestrator/base/encoding.hpp"
#include "orchestrator/promote/evidence/sshsig.hpp"
#include "orchestrator/serve/api/api.hpp"
#include "orchestrator/serve/engine/change_failures.hpp"
#include "orchestrator/serve/engine/progress.hpp"
#include "tests/unit/serve/api/api_world.hpp"

#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>

namespace bailey {
namespace {

using test::ApiWorld;
using test::body_of;

Json to_json(const YAML::Node& node) {
  if (node.IsMap()) {
    Json object = Json::object();
    for (const auto& item : node) object[item.first.as<std::string>()] = to_json(item.second);
    return object;
  }
  if (node.IsSequence()) {
    Json list = Json::array();
    for (const auto& item : node) list.push_back(to_json(item));
    return list;
  }
  const auto text = node.as<std::string>("");
  if (node.Tag() == "!") return text;  // quoted
  if (text == "true" || text == "false") return text == "true";
  if (!text.empty() &&
      std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; })) {
    return std::stoll(text);
  }
  return text;
}

const Json& document() {
  static const Json kDocument = to_json(YAML::Load(std::string(openapi_document())));
  return kDocument;
}

// OpenAPI 3.0 says `nullable` where JSON Schema has a type.
Json as_json_schema(Json schema) {
  if (schema.is_array() || schema.is_object()) {
    for (auto& inner : schema) inner = as_json_schema(inner);
  }
  if (!schema.is_object() || !schema.contains("nullable")) return schema;
  schema.erase("nullable");
  return {{"anyOf", {{{"type", "null"}}, std::move(schema)}}};
}

// What is wrong with a value by a schema of the document, or nothing.
std::string complaint(const Json& schema, const Json& value) {
  const Json whole{{"allOf", {as_json_schema(schema)}},
                   {"components", as_json_schema(document().at("components"))}};
  valijson::Schema compiled;
  valijson::SchemaParser parser;
  valijson::adapters::NlohmannJsonAdapter schema_adapter(whole);
  parser.populateSchema(schema_adapter, compiled);
  valijson::Validator validator;
  valijson::ValidationResults results;
  valijson::adapters::NlohmannJsonAdapter target(value);
  if (validator.validate(compiled, target, &results)) return {};
  std::string text;
  valijson::ValidationResults::Error error;
  while (results.popError(error)) {
    for (const auto& step : error.context) text += step;
    text += ": " + error.description + "\n";
  }
  return text.empty() ? "invalid" : text;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

const Json* operation_of(const std::string& method, const std::string& pattern) {
  const auto& paths = document().at("paths");
  if (!paths.contains(pattern) || !paths.at(pattern).contains(lower(method))) return nullptr;
  return &paths.at(pattern).at(lower(method));
}

TEST(OpenApi, DescribesEveryRouteWithItsDoorAndNoOther) {
  const ApiWorld api;
  std::size_t routes = 0;
  for (const auto& route : api.api.router().routes()) {
    const auto* operation = operation_of(route.method, route.pattern);
    ASSERT_NE(operation, nullptr) << route.method << ' ' << route.pattern;
    const bool open = operation->contains("security") && operation->at("security").empty();
    EXPECT_EQ(open, route.door == Door::Open) << route.method << ' ' << route.pattern;
    const auto places =
        static_cast<std::size_t>(std::count(route.pattern.begin(), route.pattern.end(), '{'));
    std::size_t documented = 0;
    for (const auto& parameter : member(*operation, "parameters")) {
      documented += parameter.contains("$ref") ? 1U : 0U;
    }
    EXPECT_EQ(documented, places) << route.pattern;
    ++routes;
  }
  std::size_t operations = 0;
  std::set<std::string> ids;
  for (const auto& [path, methods] : document().at("paths").items()) {
    for (const auto& [method, operation] : methods.items()) {
      ++operations;
      EXPECT_TRUE(ids.insert(operation.at("operationId")).second) << path;
      EXPECT_TRUE(operation.contains("summary")) << path;
    }
  }
  EXPECT_EQ(operations, routes);
}

TEST(OpenApi, FindsWhatIsNotAsItSays) {
  const auto& schemas = document().at("components").at("schemas");
  const auto digest = digest_of(std::string_view("x"));
  EXPECT_EQ(complaint(schemas.at("Bundle"), {{"digest", digest}, {"commit", ""}}), "");
  EXPECT_NE(complaint(schemas.at("Bundle"), {{"digest", "x"}, {"commit", ""}}), "");
  EXPECT_NE(complaint(schemas.at("Bundle"), {{"digest", digest}}), "");
  EXPECT_NE(complaint(schemas.at("Bundle"), {{"digest", digest}, {"commit", ""}, {"more", 1}}), "");
  EXPECT_EQ(complaint(schemas.at("OpenedChange"), {{"change", nullptr}, {"unchanged", true}}), "");
  EXPECT_NE(complaint(schemas.at("OpenedChange"), {{"change", "x"}, {"unchanged", nullptr}}), "");
}

TEST(OpenApi, DescribesProgressAndFailures) {
  const auto& schemas = document().at("components").at("schemas");
  test::FakeClock clock;
  ProgressTracker tracker(clock);
  EXPECT_EQ(complaint(schemas.at("Progress"), to_json(tracker.now())), "");
  Change change;
  for (const auto* name : {"net", "web"}) {
    Operation operation;
    operation.address = {"dev", name, std::nullopt};
    operation.type = "network";
    operation.action = Action::Create;
    change.plan.operations.push_back(operation);
  }
  change.plan.operations[1].depends_on = {change.plan.operations[0].address};
  const auto& net = change.plan.operations[0].address;
  const auto estimates = estimates_from_json({{"network", {{"create", {1000}}}}});
  tracker.begin(change.plan, steps_of(change.plan, {}, {}), estimates, 4);
  tracker.observe({.kind = ApplyEvent::Kind::Started, .address = net, .error = std::nullopt});
  EXPECT_EQ(complaint(schemas.at("Progress"), to_json(tracker.now())), "");
  const Error error(ErrorKind::QuotaExceeded, "no more networks");
  tracker.observe({.kind = ApplyEvent::Kind::Finished,
                   .address = net,
                   .outcome = OperationOutcome::Failed,
                   .error = error});
  const auto progress = to_json(tracker.now());
  EXPECT_EQ(complaint(schemas.at("Progress"), progress), "") << progress.dump(1);
  EXPECT_EQ(progress["operations"][0]["error"]["message"], "no more networks");

  ApplyReport report;
  for (const auto& operation : change.plan.operations) {
    auto& each = report.operations.emplace_back();
    each.address = operation.address;
    each.action = operation.action;
    each.outcome = OperationOutcome::Skipped;
  }
  report.operations[0].outcome = OperationOutcome::Failed;
  report.operations[0].error = error;
  change.outcome = to_json(report);
  const auto failures = failures_of(change);
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_EQ(complaint(schemas.at("Failure"), failures[0]), "") << failures.dump(1);
}

TEST(OpenApi, IsServedAsItIs) {
  ApiWorld api;
  const auto response = api.call("", "GET", "/openapi.yaml");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, openapi_document());
  EXPECT_EQ(test::header(response, "Content-Type"), "application/yaml");
  EXPECT_EQ(response.body, *read_file(std::filesystem::path(BAILEY_SOURCE_DIR) /
                                      "orchestrator/serve/api/openapi.yaml"));
}

/// Calls routes and holds every answer against the document.
class Checked {
 public:
  ~Checked() {
    for (const auto& route : api.api.router().routes()) {
      EXPECT_TRUE(seen_.contains(route.method + " " + route.pattern))
          << route.method << ' ' << route.pattern << " was never called";
    }
  }
  Json call(int status, const std::string& who, const std::string& method, const std::string& path,
            const Json& body = {}, std::vector<std::pair<std::string, std::string>> query = {}) {
    const auto match = api.api.router().match(method, path);
    if (match.route == nullptr) {
      ADD_FAILURE() << method << ' ' << path;
      return {};
    }
    const auto response = api.call(who, method, path, body, std::move(query));
    EXPECT_EQ(response.status, status) << method << ' ' << path << ' ' << response.body;
    const auto* operation = operation_of(method, match.route->pattern);
    if (operation == nullptr) return {};
    if (status < 400) seen_.insert(method + " " + match.route->pattern);
    check_request(*operation, body, status, path);
    const auto& responses = operation->at("responses");
    const auto code = std::to_string(response.status);
    const bool plain = responses.contains(code);
    if (!plain && response.status < 400) {
      ADD_FAILURE() << path << " has no " << code;
      return {};
    }
    const auto& described =
        plain ? responses.at(code) : document().at("components").at("responses").at("Problem");
    if (!described.contains("content")) {
      EXPECT_EQ(response.body, "") << path;
      return {};
    }
    const auto& content = described.at("content");
    const auto type = test::header(response, "Content-Type");
    EXPECT_TRUE(content.contains(type)) << path << ' ' << type;
    if (type == "application/yaml" || !content.contains(type)) return {};
    auto value = body_of(response);
    EXPECT_EQ(complaint(content.at(type).at("schema"), value), "") << method << ' ' << path << '\n'
                                                                   << value.dump(1);
    return value;
  }

  /// Counts as called: done by other means.
  void called(const std::string& route) { seen_.insert(route); }

  ApiWorld api;

 private:
  static void check_request(const Json& operation, const Json& body, int status,
                            const std::string& path) {
    if (body.is_null() || status >= 400) return;
    const auto& schema =
        operation.at("requestBody").at("content").at("application/json").at("schema");
    EXPECT_EQ(complaint(schema, body), "") << path;
  }
  std::set<std::string> seen_;
};

TEST(OpenApi, EveryRealAnswerIsAsItSays) {
  Checked checked;
  auto& world = checked.api.world;
  world.edit("classes: [development, test, staging]",
             "classes: [sandbox, development, test, staging]\n  limits: {sandboxesPerOwner: 2, "
             "maximumTtl: 24h}");
  world.specs +=
      "---\napiVersion: bailey/v1\nkind: Environment\nmetadata: {name: play}\nspec: {project: "
      "payments, class: sandbox, account: cloud, template: web, owner: alice, ttl: 8h}\n";
  world.edit("- approvals: {rules: [{from: group:managers, count: 1}], expire: 8h}\n",
             "- approvals: {rules: [{from: group:managers, count: 1}], expire: 8h}\n"
             "  grantable: {developer: {to: [erin], ttl: 2h}}\n"
             "  breakGlass: {who: [erin, carol], approvals: 1, ttl: 1h, review: {from: "
             "group:security, within: 24h}}\n");
  checked.call(200, "", "GET", "/healthz");
  checked.call(200, "", "GET", "/openapi.yaml");
  checked.call(409, "alice", "GET", "/v1/bundle");
  const auto secret = *bootstrap_token(world.engine());
  ServerRequest init;
  init.method = "POST";
  init.path = "/v1/bundle/init";
  init.headers = {{"content-type", "application/json"}};
  init.body = checked.api.sources().dump();
  checked.call(403, "alice", "POST", "/v1/bundle/init", checked.api.sources());
  checked.call(401, "", "GET", "/v1/whoami");
  {
    const auto bad = checked.api.send(init, "nonsense");
    EXPECT_EQ(bad.status, 401);
    // By the bootstrap token alone, which the other calls do not have.
    const auto done = checked.api.send(init, std::string(secret->reveal()));
    ASSERT_EQ(done.status, 200) << done.body;
    EXPECT_EQ(complaint(document().at("components").at("schemas").at("InitResult"), body_of(done)),
              "");
    const ChangeId root(string_member(body_of(done), "change"));
    for (const char* who : {"ann", "abe"}) ASSERT_TRUE(world.decide(root, who));
    checked.api.await(root, ChangeState::Done);
  }
  checked.call(200, "alice", "GET", "/v1/bundle");
  checked.call(200, "alice", "GET", "/v1/whoami");

  auto broken = checked.api.sources();
  broken["sources"]["specs"][0]["text"] = "apiVersion: bailey/v1\nkind: Nothing\n";
  checked.call(422, "alice", "POST", "/v1/plans", broken);
  checked.call(422, "alice", "POST", "/v1/apply", broken);
  checked.call(200, "alice", "POST", "/v1/plans", checked.api.sources());
  checked.call(200, "alice", "POST", "/v1/apply", checked.api.sources());
  for (const char* name : {"dev", "test", "play"}) {
    for (const auto& change : world.changes()) {
      if (change.environment == name) checked.api.await(change.id, ChangeState::Done);
    }
  }
  const auto digest = world.registry.push("one");
  checked.call(201, "service:ci", "POST", "/v1/artifacts",
               {{"project", "payments"},
                {"name", "web"},
                {"reference", world.reference(digest)},
                {"evidence", {world.authorship(digest, {"alice@acme.example"})}}});
  const auto opened = checked.call(
      201, "service:ci", "POST", "/v1/promotions",
      {{"project", "payments"}, {"to", "dev"}, {"artifacts", {{"web", world.reference(digest)}}}});
  checked.api.await(ChangeId(string_member(opened, "change")), ChangeState::Done);
  checked.call(
      200, "service:ci", "POST", "/v1/promotions",
      {{"project", "payments"}, {"to", "dev"}, {"artifacts", {{"web", world.reference(digest)}}}});
  checked.call(422, "service:ci", "POST", "/v1/promotions",
               {{"project", "payments"},
                {"to", "dev"},
                {"artifacts", {{"web", "127.0.0.1:5001/payments/web:latest"}}}});
  checked.call(200, "alice", "GET", "/v1/artifacts/" + digest);
  checked.call(200, "service:ci", "GET", "/v1/projects/payments/artifacts/web/released");
  checked.call(200, "alice", "GET", "/v1/changes");
  checked.call(200, "alice", "GET", "/v1/changes", {}, {{"state", "waiting"}});

  const auto staging = world.waiting_in("staging").id;
  const auto base = "/v1/changes/" + staging.str();
  checked.call(200, "bob", "GET", base);
  checked.call(200, "bob", "GET", base + "/plan");
  checked.call(403, "mallory", "GET", base);
  checked.call(422, "alice", "POST", base + "/statement", {{"decision", "approve"}});
  const auto prepared = checked.call(200, "bob", "POST", base + "/statement",
                                     {{"decision", "approve"}, {"reason", "fine"}});
  checked.call(
      201, "bob", "POST", base + "/decisions",
      {{"envelope", to_json(world.key("bob").envelope(string_member(prepared, "payload")))}});
  checked.api.await(staging, ChangeState::Done);
  checked.call(200, "bob", "GET", base);
  checked.call(200, "bob", "GET", base + "/approvals");
  checked.call(200, "bob", "GET", "/v1/receipts/" + world.load(staging).receipt);

  const Json emergency{{"reason", "it burns"}, {"incident", "INC-1"}, {"ttl_seconds", 600}};
  checked.call(403, "alice", "POST", "/v1/environments/staging/break-glass", emergency);
  const auto asked =
      checked.call(201, "erin", "POST", "/v1/environments/staging/break-glass", emergency);
  checked.call(200, "erin", "GET", "/v1/grants");
  const ChangeId glass(string_member(asked, "change"));
  ASSERT_TRUE(world.decide(glass, "carol"));
  checked.api.await(glass, ChangeState::Done);
  const auto grant = "/v1/grants/" + string_member(asked, "grant");
  checked.call(200, "erin", "GET", grant);
  const auto frozen = checked.call(200, "erin", "GET", "/v1/environments/staging");
  EXPECT_EQ(member(frozen, "frozen").size(), 1U);
  checked.call(201, "erin", "POST", "/v1/environments/staging/leases", {{"role", "break-glass"}});
  checked.call(409, "dave", "POST", grant + "/statement", {{"conclusion", "fine"}});
  checked.call(200, "erin", "POST", grant + "/revoke");
  checked.call(422, "carol", "POST", grant + "/statement", {{"conclusion", "fine"}});
  const auto review =
      checked.call(200, "dave", "POST", grant + "/statement", {{"conclusion", "fine"}});
  checked.call(
      201, "dave", "POST", grant + "/reviews",
      {{"envelope", to_json(world.key("dave").envelope(string_member(review, "payload")))}});
  checked.call(201, "erin", "POST", "/v1/environments/staging/grants",
               {{"role", "developer"}, {"reason", "to look"}});
  checked.call(200, "bob", "GET", "/v1/grants", {}, {{"all", "true"}, {"environment", "staging"}});

  checked.call(200, "bob", "GET", "/v1/journal", {}, {{"change", staging.str()}});
  checked.call(200, "alice", "GET", "/v1/journal");
  checked.call(404, "alice", "GET", "/v1/journal", {}, {{"environment", "nowhere"}});
  checked.call(403, "mallory", "GET", "/v1/journal", {}, {{"environment", "staging"}});
  const auto server =
      world.cloud.with_marker({world.state_of("dev").uid, {"dev", "web", std::nullopt}, 1});
  ASSERT_TRUE(server);
  world.cloud.drift(server->id, "flavor", "huge");
  const auto drift = checked.call(200, "alice", "POST", "/v1/environments/dev/drift");
  checked.call(403, "mallory", "POST", "/v1/environments/dev/drift");
  const Json decision{{"action", "ignore"},
                      {"findings", {drift["findings"][0]["id"]}},
                      {"reason", "known"},
                      {"seconds", 60}};
  const auto ignored =
      checked.call(201, "alice", "POST", "/v1/environments/dev/drift/decisions", decision);
  checked.api.await(ChangeId(string_member(ignored, "change")), ChangeState::Done);
  checked.call(200, "alice", "GET", "/v1/changes/" + string_member(ignored, "change") + "/plan");
  checked.call(400, "alice", "POST", "/v1/environments/dev/drift/decisions",
               {{"action", "nothing"}, {"findings", {"drift-x"}}});
  checked.call(200, "alice", "POST", "/v1/environments/dev/drift");
  checked.call(200, "alice", "GET", "/v1/environments/dev");
  checked.call(200, "alice", "POST", "/v1/environments/play/extend", {{"ttl_seconds", 60}});
  checked.call(409, "alice", "POST", "/v1/environments/dev/extend", {{"ttl_seconds", 60}});

  checked.call(200, "alice", "GET", "/v1/environments");
  checked.call(200, "alice", "GET", "/v1/environments/staging");
  checked.call(200, "alice", "GET", "/v1/environments/production");
  const auto handed = checked.call(201, "alice", "POST", "/v1/environments/dev/leases",
                                   {{"role", "developer"}, {"ttl_seconds", 600}});
  checked.call(200, "alice", "GET", "/v1/environments/dev/credentials");
  checked.call(204, "alice", "DELETE",
               "/v1/environments/dev/leases/" + handed["lease"]["id"].get<std::string>());
  checked.call(204, "ann", "POST", "/v1/environments/dev/credentials/rotate");
  checked.call(200, "amy", "POST", "/v1/probe", Json::object());
  checked.call(204, "ann", "POST", "/v1/environments/dev/credentials/revoke",
               {{"role", "runtime"}});

  const auto production = world.waiting_in("production").id;
  checked.call(422, "erin", "POST", "/v1/changes/" + production.str() + "/execute");
  world.clock.advance(std::chrono::hours(25));
  for (const char* who : {"dave", "carol"}) ASSERT_TRUE(world.decide(production, who));
  checked.call(202, "erin", "POST", "/v1/changes/" + production.str() + "/execute");
  checked.api.await(production, ChangeState::Done);
  checked.call(409, "alice", "POST", "/v1/changes/" + production.str() + "/cancel");
  checked.call(200, "alice", "POST", "/v1/environments/test/rollback",
               {{"receipt", world.state_of("test").receipt}});
  checked.call(404, "alice", "POST", "/v1/environments/dev/rollback",
               {{"receipt", "sha256:" + std::string(64, '0')}});
  const auto destroyed = checked.call(201, "alice", "POST", "/v1/environments/staging/destroy");
  checked.call(200, "alice", "POST",
               "/v1/changes/" + string_member(destroyed, "change") + "/cancel");

  checked.call(409, "ann", "POST", "/v1/environments/test/import", Json::object());
  world.forget("test");
  checked.call(403, "alice", "POST", "/v1/environments/test/import", Json::object());
  checked.call(200, "ann", "POST", "/v1/environments/test/import", {{"uid", ""}});

  const auto issued =
      checked.call(201, "ann", "POST", "/v1/tokens", {{"subject", "frank"}, {"ttl_seconds", 60}});
  checked.call(200, "ann", "GET", "/v1/tokens");
  checked.call(204, "ann", "DELETE", "/v1/tokens/" + string_member(issued, "id"));
  const auto challenge =
      checked.call(200, "", "POST", "/v1/login/challenge", {{"subject", "carol"}});
  const auto text = string_member(challenge, "challenge");
  const auto blob = base64(world.key("carol").sign(text, kLoginNamespace));
  checked.call(201, "", "POST", "/v1/login",
               {{"challenge", text},
                {"signature",
                 "-----BEGIN SSH SIGNATURE-----\n" + blob + "\n-----END SSH SIGNATURE-----\n"}});
  checked.call(401, "", "POST", "/v1/login/id-token", {{"id_token", "a.b.c"}});
  checked.called("POST /v1/login/id-token");  // Its other answer is that of /v1/login.
  checked.call(200, "amy", "GET", "/v1/audit/entries", {}, {{"from", "0"}, {"limit", "5"}});
  checked.call(200, "amy", "GET", "/v1/audit/checkpoint");
  checked.call(200, "amy", "GET", "/v1/audit/checkpoint", nullptr, {{"from", "3"}});
  checked.called("POST /v1/bundle/init");
}

}  // namespace
}  // namespace bailey
