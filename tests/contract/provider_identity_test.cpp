#include "providers/openstack/identity.hpp"
#include "tests/contract/provider_cloud.hpp"

#include <set>

namespace bailey::contract {
namespace {

using std::chrono::seconds;

class ProviderIdentities : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = Ground::instance().open(Ground::instance().cloud().credential);
    ASSERT_TRUE(opened) << opened.error().render();
    provider_ = *opened;
    place_ = std::make_unique<Place>(*provider_);
    ASSERT_FALSE(place_->boundary.empty());
  }
  void TearDown() override { place_.reset(); }

  Place& place() { return *place_; }
  Provider& provider() { return *provider_; }

  static IdentityRequest role(const Place& of, std::vector<std::string> grants) {
    return {.environment_uid = of.uid,
            .environment = of.name,
            .role = "app",
            .boundary = of.boundary,
            .grants = std::move(grants)};
  }
  Identity make(Place& of, std::vector<std::string> grants) {
    auto made = provider().ensure_identity(role(of, std::move(grants)), std::nullopt, {});
    if (!made) {
      ADD_FAILURE() << made.error().render();
      return {};
    }
    of.users.push_back(made->id);
    return *made;
  }
  IssuedCredential issue(const Identity& identity, const Place& of, std::vector<std::string> grants,
                         seconds life = seconds(600)) {
    auto made =
        provider().issue(identity,
                         {.boundary = of.boundary,
                          .name = Ground::instance().unique("lease-"),
                          .grants = std::move(grants),
                          .expires_at = Ground::instance().cloud().clock().wall_now() + life},
                         {});
    if (!made) {
      ADD_FAILURE() << made.error().render();
      return {};
    }
    return *made;
  }
  static openstack::SessionOptions login_with(const Secret& material) {
    openstack::SessionOptions options;
    auto read = openstack::read_material(material);
    EXPECT_TRUE(read);
    if (!read) return options;
    options.auth_url = read->auth_url;
    options.region = read->region;
    options.interface = read->interface;
    options.ca_file = read->ca_file;
    options.login = read->login;
    return options;
  }
  /// Nothing when Keystone takes the credential.
  static std::optional<ErrorKind> refusal(const Secret& material) {
    openstack::Session session(login_with(material), Ground::instance().doors());
    auto token = session.token({});
    if (token) return std::nullopt;
    return token.error().kind();
  }
  /// `role@project` of every assignment that the user has anywhere.
  static std::set<std::string> assignments(const std::string& user) {
    auto all = Ground::instance().admin().list(
        Service::Identity, "/role_assignments?user.id=" + user + "&include_names=true",
        "role_assignments");
    std::set<std::string> found;
    if (!all) return found;
    for (const auto& one : *all) {
      found.insert(string_member(member(one, "role"), "name") + "@" +
                   string_member(member(member(one, "scope"), "project"), "id"));
    }
    return found;
  }

 private:
  std::shared_ptr<Provider> provider_;
  std::unique_ptr<Place> place_;
};

TEST_F(ProviderIdentities, BoundaryIsFoundAgain) {
  auto again = provider().ensure_boundary(place().request(), {});
  ASSERT_TRUE(again) << again.error().render();
  EXPECT_EQ(*again, place().boundary);
  auto found = provider().find_boundary(place().uid, {});
  ASSERT_TRUE(found) << found.error().render();
  EXPECT_EQ(*found, place().boundary);
  auto other = provider().find_boundary(EnvironmentUid("env-nobody"), {});
  ASSERT_TRUE(other) << other.error().render();
  EXPECT_FALSE(*other);
}

TEST_F(ProviderIdentities, BoundariesAreListedByTheirMarksAlone) {
  Place here(provider(), "lost-and-found");
  const auto all = provider().list_boundaries({});
  ASSERT_TRUE(all) << all.error().render();
  const auto found = std::find_if(all->begin(), all->end(), [&](const FoundBoundary& boundary) {
    return boundary.environment_uid == here.uid;
  });
  ASSERT_NE(found, all->end());
  EXPECT_EQ(found->id, here.boundary);
  EXPECT_EQ(found->environment, "lost-and-found");
  EXPECT_TRUE(std::none_of(all->begin(), all->end(), [](const FoundBoundary& boundary) {
    return boundary.environment_uid.str().empty();
  }));
}

TEST_F(ProviderIdentities, BoundaryOfALongNameIsMade) {
  Place longest(provider(), std::string(63, 'e'));
  EXPECT_FALSE(longest.boundary.empty());
  EXPECT_NE(longest.boundary, place().boundary);
}

TEST_F(ProviderIdentities, BoundaryIsNotRemovedWhileSomethingIsInside) {
  const std::map<std::string, Json> inputs{{"network", {{"cidr", "10.20.0.0/24"}}},
                                           {"security-group", {{"ingress", Json::array()}}},
                                           {"secret", {{"generate", {{"length", 16}}}}}};
  for (const auto& [type, values] : inputs) {
    const auto made = place().make(type, "one", values);
    auto refused = provider().remove_boundary(place().boundary, {});
    ASSERT_FALSE(refused) << type;
    EXPECT_EQ(refused.error().kind(), ErrorKind::FailedPrecondition);
    ASSERT_TRUE(provider().remove(type, place().boundary, made.provider_id, {}));
  }
  auto found = provider().find_boundary(place().uid, {});
  ASSERT_TRUE(found && *found);
}

TEST_F(ProviderIdentities, BoundaryGoesWithTheGroupThatNeutronLeaves) {
  place().make("security-group", "one", {{"ingress", Json::array()}});
  // Asked for one project's groups, Neutron makes the default one: so all are listed.
  const auto groups = [&] {
    auto all =
        Ground::instance().admin().list(Service::Network, "/security-groups", "security_groups");
    if (all) {
      std::erase_if(*all, [&](const Json& group) {
        return string_member(group, "project_id") != place().boundary;
      });
    }
    return all;
  };
  auto before = groups();
  ASSERT_TRUE(before) << before.error().render();
  EXPECT_EQ(before->size(), 2U);
  auto all = provider().list("security-group", place().boundary, {});
  ASSERT_TRUE(all && all->size() == 1);
  ASSERT_TRUE(provider().remove("security-group", place().boundary, all->front().provider_id, {}));

  auto gone = provider().remove_boundary(place().boundary, {});
  ASSERT_TRUE(gone) << gone.error().render();
  auto after = groups();
  ASSERT_TRUE(after) << after.error().render();
  EXPECT_TRUE(after->empty());
  auto again = provider().remove_boundary(place().boundary, {});
  EXPECT_TRUE(again) << again.error().render();
  auto found = provider().find_boundary(place().uid, {});
  ASSERT_TRUE(found) << found.error().render();
  EXPECT_FALSE(*found);
  auto nothing = provider().list("network", place().boundary, {});
  EXPECT_TRUE(nothing && nothing->empty());
}

TEST_F(ProviderIdentities, ForeignProjectIsNoBoundary) {
  auto token = Ground::instance().home().session().token({});
  ASSERT_TRUE(token);
  const auto own = (*token)->project_id;
  auto gone = provider().remove_boundary(own, {});
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().kind(), ErrorKind::Refused);
  auto listed = provider().list("network", own, {});
  ASSERT_FALSE(listed);
  EXPECT_EQ(listed.error().kind(), ErrorKind::Refused);
}

TEST_F(ProviderIdentities, GrantsAreExact) {
  Place other(provider());
  const auto made = make(place(), {"member", "creator"});
  EXPECT_EQ(assignments(made.id),
            (std::set<std::string>{"member@" + place().boundary, "creator@" + place().boundary}));
  auto reader = Ground::instance().home().role_id("reader", {});
  ASSERT_TRUE(reader) << reader.error().render();
  ASSERT_TRUE(Ground::instance().home().assign(made.id, other.boundary, *reader, {}));

  auto again = provider().ensure_identity(role(place(), {"reader", "member"}), made, {});
  ASSERT_TRUE(again) << again.error().render();
  EXPECT_EQ(again->id, made.id);
  EXPECT_EQ(again->secret.reveal(), made.secret.reveal());
  EXPECT_EQ(assignments(made.id),
            (std::set<std::string>{"reader@" + place().boundary, "member@" + place().boundary}));
}

TEST_F(ProviderIdentities, UnknownGrantIsRefused) {
  auto made = provider().ensure_identity(role(place(), {"no-such-role"}), std::nullopt, {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind(), ErrorKind::InvalidArgument);
  auto user = Ground::instance().home().user_named(
      "bailey-contract-app-" + openstack::short_uid(place().uid),
      *Ground::instance().home().domain(EnvironmentClass::Sandbox, {}), {});
  if (user && *user) place().users.push_back(string_member(**user, "id"));
}

TEST_F(ProviderIdentities, AdminIsNeverGranted) {
  auto made = provider().ensure_identity(role(place(), {"member", "admin"}), std::nullopt, {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind(), ErrorKind::Refused);
}

TEST_F(ProviderIdentities, FoundIdentityOfUnknownSecretGetsANewOne) {
  const auto first = make(place(), {"member"});
  auto found = provider().ensure_identity(role(place(), {"member"}), std::nullopt, {});
  ASSERT_TRUE(found) << found.error().render();
  EXPECT_EQ(found->id, first.id);
  EXPECT_NE(found->secret.reveal(), first.secret.reveal());
  EXPECT_FALSE(refusal(issue(*found, place(), {"member"}).material));
  auto with_old =
      provider().issue(first,
                       {.boundary = place().boundary,
                        .name = "old",
                        .grants = {"member"},
                        .expires_at = Ground::instance().cloud().clock().wall_now() + seconds(600)},
                       {});
  ASSERT_FALSE(with_old);
  EXPECT_EQ(with_old.error().kind(), ErrorKind::Unauthenticated);
}

TEST_F(ProviderIdentities, ForeignUserIsNeitherAdoptedNorRemoved) {
  auto domain = Ground::instance().home().domain(EnvironmentClass::Sandbox, {});
  ASSERT_TRUE(domain);
  auto foreign = Ground::instance().admin().post(
      Service::Identity, "/users",
      {{"user",
        {{"name", "bailey-contract-app-" + openstack::short_uid(place().uid)},
         {"domain_id", *domain}}}});
  ASSERT_TRUE(foreign) << foreign.error().render();
  const auto id = string_member(member(*foreign, "user"), "id");
  auto adopted = provider().ensure_identity(role(place(), {"member"}), std::nullopt, {});
  auto removed = provider().remove_identity(id, {});
  (void)Ground::instance().admin().remove(Service::Identity, "/users/" + id);
  ASSERT_FALSE(adopted);
  EXPECT_EQ(adopted.error().kind(), ErrorKind::Conflict);
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().kind(), ErrorKind::Refused);
}

TEST_F(ProviderIdentities, RemovedIdentityTakesItsCredentialsAlong) {
  const auto made = make(place(), {"member"});
  const auto credential = issue(made, place(), {"member"});
  EXPECT_FALSE(refusal(credential.material));
  auto gone = provider().remove_identity(made.id, {});
  ASSERT_TRUE(gone) << gone.error().render();
  EXPECT_EQ(refusal(credential.material), ErrorKind::Unauthenticated);
  auto again = provider().remove_identity(made.id, {});
  EXPECT_TRUE(again) << again.error().render();
  auto revoked = provider().revoke(made, credential.provider_id, {});
  EXPECT_TRUE(revoked) << revoked.error().render();
}

TEST_F(ProviderIdentities, CredentialHasTheGrantsAndNoMore) {
  const auto made = make(place(), {"creator"});
  const auto credential = issue(made, place(), {"creator"});
  openstack::Session session(login_with(credential.material), Ground::instance().doors());
  auto token = session.token({});
  ASSERT_TRUE(token) << token.error().render();
  EXPECT_EQ((*token)->project_id, place().boundary);
  auto more =
      provider().issue(made,
                       {.boundary = place().boundary,
                        .name = "more",
                        .grants = {"member"},
                        .expires_at = Ground::instance().cloud().clock().wall_now() + seconds(600)},
                       {});
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().kind(), ErrorKind::InvalidArgument);
  // Restricted: it can make no credential that would outlive it.
  auto child = Api(session, {})
                   .post(Service::Identity, "/users/" + made.id + "/application_credentials",
                         {{"application_credential", {{"name", "child"}}}});
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().kind(), ErrorKind::PermissionDenied);
}

TEST_F(ProviderIdentities, CredentialWithoutGrantsOrTimeIsRefused) {
  const auto made = make(place(), {"member"});
  const auto now = Ground::instance().cloud().clock().wall_now();
  for (const auto& request :
       {IssueRequest{place().boundary, "no-grants", {}, now + seconds(600)},
        IssueRequest{place().boundary, "no-time", {"member"}, now - seconds(1)}}) {
    auto issued = provider().issue(made, request, {});
    ASSERT_FALSE(issued) << request.name;
    EXPECT_EQ(issued.error().kind(), ErrorKind::InvalidArgument);
  }
}

TEST_F(ProviderIdentities, CredentialExpires) {
  const auto made = make(place(), {"member"});
  const auto credential = issue(made, place(), {"member"}, seconds(3));
  EXPECT_FALSE(refusal(credential.material));
  Ground::instance().cloud().pass(seconds(4));
  EXPECT_EQ(refusal(credential.material), ErrorKind::Unauthenticated);
}

TEST_F(ProviderIdentities, RevokedCredentialIsRefusedAndTheOthersAreNot) {
  const auto made = make(place(), {"member"});
  const auto one = issue(made, place(), {"member"});
  const auto two = issue(made, place(), {"member"});
  openstack::Session session(login_with(one.material), Ground::instance().doors());
  const Api as_one(session, {});
  EXPECT_TRUE(as_one.get(Service::Identity, "/users/" + made.id));

  auto gone = provider().revoke(made, one.provider_id, {});
  ASSERT_TRUE(gone) << gone.error().render();
  EXPECT_EQ(refusal(one.material), ErrorKind::Unauthenticated);
  EXPECT_FALSE(as_one.get(Service::Identity, "/users/" + made.id));
  EXPECT_FALSE(refusal(two.material));
  auto again = provider().revoke(made, one.provider_id, {});
  EXPECT_TRUE(again) << again.error().render();
}

TEST_F(ProviderIdentities, IssuingUnderANameThatIsTakenReplacesThatOne) {
  const auto made = make(place(), {"member"});
  const IssueRequest request{place().boundary,
                             "lease-one",
                             {"member"},
                             Ground::instance().cloud().clock().wall_now() + seconds(600)};
  auto first = provider().issue(made, request, {});
  ASSERT_TRUE(first) << first.error().render();
  auto second = provider().issue(made, request, {});
  ASSERT_TRUE(second) << second.error().render();
  EXPECT_EQ(refusal(first->material), ErrorKind::Unauthenticated);
  EXPECT_FALSE(refusal(second->material));
}

TEST_F(ProviderIdentities, ToolsGetTheirVariables) {
  const auto made = make(place(), {"member"});
  const auto credential = issue(made, place(), {"member"});
  auto variables = provider().tool_environment(credential.material);
  ASSERT_TRUE(variables) << variables.error().render();
  EXPECT_EQ(variables->at("OS_AUTH_TYPE").reveal(), "v3applicationcredential");
  EXPECT_EQ(variables->at("OS_AUTH_URL").reveal(), Ground::instance().cloud().account.endpoint);
  EXPECT_EQ(variables->at("OS_APPLICATION_CREDENTIAL_ID").reveal(), credential.provider_id);
  EXPECT_FALSE(variables->at("OS_APPLICATION_CREDENTIAL_SECRET").empty());
  EXPECT_FALSE(provider().tool_environment(Secret("{}")));
}

class ProviderProbe : public ProviderIdentities {
 protected:
  /// One of each thing that a probe knows how to try.
  ProbeTarget furnish(Place& of) {
    const auto net = of.make("network", "net", {{"cidr", "10.20.0.0/24"}});
    const auto group = of.make("security-group", "web", {{"ingress", Json::array()}});
    const auto secret = of.make("secret", "password", {{"generate", {{"length", 16}}}});
    const auto router = of.make("router", "gate", {{"networks", {net.provider_id}}});
    const auto server = of.make_server("web", net);
    const auto apart = of.make("server-group", "apart", {{"policy", "soft-affinity"}});
    const auto quota = of.make("quota", "limits", {{"network", {{"networks", 20}}}});
    ProbeTarget target{.boundary = of.boundary,
                       .things = {{"network", net.provider_id},
                                  {"security-group", group.provider_id},
                                  {"secret", secret.provider_id},
                                  {"router", router.provider_id},
                                  {"server", server.provider_id},
                                  {"server-group", apart.provider_id},
                                  {"quota", quota.provider_id}}};
    if (has(Service::Volume)) {
      target.things.push_back({"volume", of.make("volume", "disk", {{"size", 1}}).provider_id});
    }
    if (has(Service::ObjectStore)) {
      target.things.push_back(
          {"container", of.make("container", "files", Json::object()).provider_id});
    }
    if (has(Service::Dns)) {
      const Json zone{{"name", Ground::instance().unique("bailey-") + ".example.org."},
                      {"email", "dns@example.org"},
                      {"ttl", 600}};
      target.things.push_back({"zone", of.make("zone", "names", zone).provider_id});
    }
    return target;
  }
  void expect_untouched(const ProbeTarget& target) {
    for (const auto& thing : target.things) {
      auto now = provider().read(thing.type, target.boundary, thing.provider_id, {});
      EXPECT_TRUE(now && *now) << thing.type;
    }
    auto networks = provider().list("network", target.boundary, {});
    EXPECT_TRUE(networks && networks->size() == 1);
  }
};

TEST_F(ProviderProbe, EverythingOfAnotherEnvironmentIsRefused) {
  Place other(provider());
  const auto target = furnish(other);
  place().make("network", "own", {{"cidr", "10.30.0.0/24"}});
  const auto made = make(place(), {"member", "creator"});
  const auto credential = issue(made, place(), {"member", "creator"});
  auto attempts = provider().probe(credential.material, target, {});
  ASSERT_TRUE(attempts) << attempts.error().render();
  EXPECT_GE(attempts->size(), 15U);
  std::set<std::string> operations;
  for (const auto& attempt : *attempts) {
    EXPECT_EQ(attempt.outcome, ProbeOutcome::Refused)
        << attempt.operation << ": " << attempt.detail;
    operations.insert(attempt.operation);
  }
  for (const auto* operation :
       {"rescope token", "list networks", "create network", "read secret", "read secret/payload",
        "delete secret", "read server", "delete server", "delete network"}) {
    EXPECT_TRUE(operations.contains(operation)) << operation;
  }
  expect_untouched(target);
  auto own = provider().list("network", place().boundary, {});
  EXPECT_TRUE(own && own->size() == 1);
}

TEST_F(ProviderProbe, DetectsWhatIsOpenAndDeletesNothingOfIt) {
  const auto target = furnish(place());
  const auto made = make(place(), {"member", "creator"});
  const auto credential = issue(made, place(), {"member", "creator"});
  auto attempts = provider().probe(credential.material, target, {});
  ASSERT_TRUE(attempts) << attempts.error().render();
  std::set<std::string> open;
  for (const auto& attempt : *attempts) {
    if (attempt.outcome == ProbeOutcome::Allowed) open.insert(attempt.operation);
  }
  for (const auto* operation :
       {"list networks", "list servers", "create network", "read network", "read security-group",
        "read secret", "read secret/payload", "read router", "read server"}) {
    EXPECT_TRUE(open.contains(operation)) << operation;
  }
  expect_untouched(target);
}

TEST_F(ProviderProbe, DeadCredentialProvesNothing) {
  const auto target = furnish(place());
  const auto made = make(place(), {"member"});
  const auto credential = issue(made, place(), {"member"});
  ASSERT_TRUE(provider().revoke(made, credential.provider_id, {}));
  auto attempts = provider().probe(credential.material, target, {});
  ASSERT_TRUE(attempts) << attempts.error().render();
  ASSERT_FALSE(attempts->empty());
  for (const auto& attempt : *attempts) EXPECT_EQ(attempt.outcome, ProbeOutcome::Unknown);
}

TEST_F(ProviderIdentities, AnAccountMayItselfBeAnApplicationCredential) {
  auto& ground = Ground::instance();
  auto token = ground.home().session().token({});
  ASSERT_TRUE(token);
  const auto path = "/users/" + (*token)->user_id + "/application_credentials";
  auto credential = ground.admin().post(
      Service::Identity, path,
      {{"application_credential",
        {{"name", ground.unique("contract-")}, {"roles", {{{"name", "admin"}}}}}}});
  ASSERT_TRUE(credential) << credential.error().render();
  const auto& facts = member(*credential, "application_credential");
  const auto id = string_member(facts, "id");
  {
    auto opened = ground.open(Secret(Json{
        {"application_credential_id", id},
        {"application_credential_secret",
         string_member(facts, "secret")}}.dump()));
    ASSERT_TRUE(opened) << opened.error().render();
    Place other(**opened, "by-credential");
    const auto net = other.make("network", "net", {{"cidr", "10.20.0.0/24"}});
    other.make_server("web", net);
    other.make("secret", "password", {{"generate", {{"length", 16}}}});
    auto again = (*opened)->ensure_boundary(other.request(), {});
    EXPECT_TRUE(again) << again.error().render();
    auto identity = (*opened)->ensure_identity(role(other, {"member"}), std::nullopt, {});
    ASSERT_TRUE(identity) << identity.error().render();
    other.users.push_back(identity->id);
    EXPECT_FALSE(refusal(issue(*identity, other, {"member"}).material));
  }
  auto gone = ground.admin().remove(Service::Identity, path + "/" + id);
  EXPECT_TRUE(gone) << gone.error().render();
}

}  // namespace
}  // namespace bailey::contract
