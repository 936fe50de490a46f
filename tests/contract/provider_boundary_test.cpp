#include "orchestrator/base/file.hpp"
#include "tests/contract/provider_cloud.hpp"

#include <algorithm>
#include <set>

/// How an account reaches its cloud, and what its boundaries may be besides new projects.
namespace bailey::contract {
namespace {

using openstack::owner_tag;
using Tags = std::set<std::string>;

template <class T>
std::string code_of(const Result<T>& result) {
  return result ? std::string() : result.error().code();
}
template <class T>
std::optional<ErrorKind> kind_of(const Result<T>& result) {
  return result ? std::nullopt : std::optional(result.error().kind());
}

Ground& ground() {
  return Ground::instance();
}

std::shared_ptr<Provider> open(const Account& account, const Secret& credential) {
  auto opened = openstack_plugin().open(ProviderContext{.account = account,
                                                        .credential = credential,
                                                        .http = ground().http(),
                                                        .clock = ground().cloud().clock(),
                                                        .random = ground().random()});
  if (!opened) {
    ADD_FAILURE() << opened.error().render();
    return nullptr;
  }
  return *opened;
}
std::shared_ptr<Provider> open(const Account& account) {
  return open(account, ground().cloud().credential);
}

Json project_of(const std::string& id) {
  auto found = ground().home().keystone_project(id, {});
  if (!found || !*found) return {};
  return **found;
}
Tags tags_of(const std::string& id) {
  const auto tags = strings_member(project_of(id), "tags");
  return {tags.begin(), tags.end()};
}

/// Names of the roles that the account's own user has on a project, given there.
std::set<std::string> own_roles(const std::string& project) {
  auto token = ground().home().session().token({});
  auto all = ground().admin().list(Service::Identity,
                                   "/role_assignments?include_names&user.id=" + (*token)->user_id +
                                       "&scope.project.id=" + project,
                                   "role_assignments");
  std::set<std::string> names;
  if (!all) return names;
  for (const auto& each : *all) names.insert(string_member(member(each, "role"), "name"));
  return names;
}

/// A domain of its own, gone at the end with what was left in it.
struct OwnDomain {
  OwnDomain() : name(ground().unique("bailey-contract-")) {
    auto made =
        ground().admin().post(Service::Identity, "/domains", {{"domain", {{"name", name}}}});
    if (!made) {
      ADD_FAILURE() << made.error().render();
      return;
    }
    id = string_member(member(*made, "domain"), "id");
  }
  OwnDomain(const OwnDomain&) = delete;
  OwnDomain& operator=(const OwnDomain&) = delete;
  ~OwnDomain() {
    (void)ground().admin().patch(Service::Identity, "/domains/" + id,
                                 {{"domain", {{"enabled", false}}}});
    auto gone = ground().admin().remove(Service::Identity, "/domains/" + id);
    EXPECT_TRUE(gone) << gone.error().render();
  }
  std::string name;
  std::string id;
};

/// A project that was there before, with a network in it.
struct OldProject {
  explicit OldProject(const std::string& domain = "") : name(ground().unique("bailey-contract-")) {
    auto own = ground().home().domain(EnvironmentClass::Sandbox, {});
    auto made = ground().admin().post(Service::Identity, "/projects",
                                      {{"project",
                                        {{"name", name},
                                         {"domain_id", domain.empty() ? *own : domain},
                                         {"description", "Theirs."},
                                         {"tags", {"bailey-team", "theirs"}}}}});
    if (!made) {
      ADD_FAILURE() << made.error().render();
      return;
    }
    id = string_member(member(*made, "project"), "id");
    auto planted = ground().admin().post(Service::Network, "/networks",
                                         {{"network", {{"name", "theirs"}, {"project_id", id}}}});
    EXPECT_TRUE(planted) << planted.error().render();
    if (planted) network = string_member(member(*planted, "network"), "id");
  }
  OldProject(const OldProject&) = delete;
  OldProject& operator=(const OldProject&) = delete;
  ~OldProject() {
    (void)ground().admin().remove(Service::Network, "/networks/" + network);
    auto gone = ground().admin().remove(Service::Identity, "/projects/" + id);
    EXPECT_TRUE(gone) << gone.error().render();
    auto groups = ground().admin().list(Service::Network, "/security-groups", "security_groups");
    if (!groups) return;
    for (const auto& group : *groups) {
      if (string_member(group, "project_id") != id) continue;
      (void)ground().admin().remove(Service::Network,
                                    "/security-groups/" + string_member(group, "id"));
    }
  }
  [[nodiscard]] bool has_network() const {
    auto found = ground().admin().find(Service::Network, "/networks/" + network);
    return found && *found;
  }
  std::string name;
  std::string id;
  std::string network;
};

BoundaryRequest request(const std::string& adopt = "") {
  return {.environment_uid = EnvironmentUid(ground().unique("env-")),
          .environment = "contract",
          .project = "payments",
          .environment_class = EnvironmentClass::Sandbox,
          .adopt = adopt};
}

class ProviderBoundaries : public ::testing::Test {
 protected:
  ProviderBoundaries() : provider(open(ground().cloud().account)) {}
  std::shared_ptr<Provider> provider;
};

TEST_F(ProviderBoundaries, RegionThatIsNotThereIsNamed) {
  auto account = ground().cloud().account;
  account.region = "Atlantis";
  const auto lost = open(account)->find_boundary(EnvironmentUid("env-none"), {});
  EXPECT_EQ(code_of(lost), "openstack.region");
  account.region = ground().cloud().account.region;
  for (const char* interface : {"public", "internal", "admin"}) {
    account.interface = interface;
    const auto found = open(account)->find_boundary(EnvironmentUid("env-none"), {});
    EXPECT_TRUE(found) << found.error().render();
  }
}

// The file that the embedded cloud writes for the `openstack` command is an account's credential.
TEST_F(ProviderBoundaries, OpenrcIsAllThatAnAccountNeeds) {
  auto folder = TemporaryFolder::create("contract");
  ASSERT_TRUE(folder);
  test::FakeClock clock;
  DevcloudOptions options;
  options.clock = &clock;
  options.openrc = folder->path() / "openrc";
  auto cloud = Devcloud::start(options);
  ASSERT_TRUE(cloud) << cloud.error().render();
  auto openrc = read_file(options.openrc);
  ASSERT_TRUE(openrc) << openrc.error().render();
  Account account;
  account.provider = "openstack";
  const auto opened = open(account, Secret(*openrc));
  ASSERT_TRUE(opened);
  const auto found = opened->find_boundary(EnvironmentUid("env-none"), {});
  EXPECT_TRUE(found) << found.error().render();
}

TEST_F(ProviderBoundaries, ProjectShowsWhatTheEnvironmentSaysOfIt) {
  auto wanted = request();
  wanted.description = "One.";
  wanted.tags = {"cost-7"};
  auto made = provider->ensure_boundary(wanted, {});
  ASSERT_TRUE(made) << made.error().render();
  EXPECT_EQ(string_member(project_of(*made), "description"), "One.");
  EXPECT_EQ(tags_of(*made),
            (Tags{"cost-7", "bailey-environment:contract", owner_tag(wanted.environment_uid)}));
  // Somebody else's tag stays.
  ASSERT_TRUE(ground().home().tag(*made, "billing", {}));
  wanted.description = "Two.";
  wanted.tags = {"cost-8"};
  ASSERT_TRUE(provider->ensure_boundary(wanted, {}));
  EXPECT_EQ(string_member(project_of(*made), "description"), "Two.");
  EXPECT_EQ(tags_of(*made), (Tags{"cost-7", "cost-8", "billing", "bailey-environment:contract",
                                  owner_tag(wanted.environment_uid)}));
  EXPECT_TRUE(provider->remove_boundary(*made, {}));
  EXPECT_TRUE(project_of(*made).is_null());
}

TEST_F(ProviderBoundaries, ClassLivesInItsDomainWithItsUsers) {
  const OwnDomain domain;
  auto account = ground().cloud().account;
  for (const auto& named : {domain.name, domain.id}) {
    account.domains = {{EnvironmentClass::Sandbox, named}};
    const auto here = open(account);
    Place place(*here);
    ASSERT_FALSE(place.boundary.empty());
    EXPECT_EQ(string_member(project_of(place.boundary), "domain_id"), domain.id);
    const IdentityRequest wanted{place.uid, "contract", "app", place.boundary, {"member"}};
    auto user = here->ensure_identity(wanted, std::nullopt, {});
    ASSERT_TRUE(user) << user.error().render();
    place.users.push_back(user->id);
    auto shown = ground().admin().get(Service::Identity, "/users/" + user->id);
    ASSERT_TRUE(shown);
    EXPECT_EQ(string_member(member(*shown, "user"), "domain_id"), domain.id);
    auto again = here->ensure_identity(wanted, std::nullopt, {});
    ASSERT_TRUE(again) << again.error().render();
    EXPECT_EQ(again->id, user->id);
    place.make("network", "net", {{"cidr", "10.20.0.0/24"}});
  }
}

TEST_F(ProviderBoundaries, DomainThatIsNotThereIsNoReasonToTakeAnother) {
  auto account = ground().cloud().account;
  account.domains = {{EnvironmentClass::Sandbox, "bailey-contract-nowhere"}};
  EXPECT_EQ(kind_of(open(account)->ensure_boundary(request(), {})), ErrorKind::NotFound);
  account.domains = {{EnvironmentClass::Production, "Default"}};
  EXPECT_EQ(kind_of(open(account)->ensure_boundary(request(), {})), ErrorKind::Refused);
}

TEST_F(ProviderBoundaries, LoginThatMayNotIsToldWhatItNeeds) {
  const OldProject project;
  auto domain = ground().home().domain(EnvironmentClass::Sandbox, {});
  ASSERT_TRUE(domain);
  const auto name = ground().unique("bailey-contract-");
  auto user = ground().admin().post(
      Service::Identity, "/users",
      {{"user", {{"name", name}, {"domain_id", *domain}, {"password", "contract-pass"}}}});
  ASSERT_TRUE(user) << user.error().render();
  const auto id = string_member(member(*user, "user"), "id");
  auto role = ground().home().role_id("member", {});
  ASSERT_TRUE(role && ground().home().assign(id, project.id, *role, {}));
  const Secret login(
      Json{{"user_id", id}, {"password", "contract-pass"}, {"project_id", project.id}}.dump());
  const auto refused = open(ground().cloud().account, login)->ensure_boundary(request(), {});
  (void)ground().admin().remove(Service::Identity, "/users/" + id);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::PermissionDenied);
  EXPECT_FALSE(refused.error().hint().empty());
}

TEST_F(ProviderBoundaries, AdoptedProjectIsGivenBackAsItWas) {
  const OldProject old;
  const auto before = tags_of(old.id);
  const auto wanted = request(old.name);
  const auto adopted = provider->ensure_boundary(wanted, {});
  ASSERT_TRUE(adopted) << adopted.error().render();
  EXPECT_EQ(*adopted, old.id);
  const auto again = provider->ensure_boundary(wanted, {});
  ASSERT_TRUE(again) << again.error().render();
  EXPECT_EQ(*again, old.id);
  EXPECT_TRUE(tags_of(old.id).contains(owner_tag(wanted.environment_uid)));

  const Marker marker{wanted.environment_uid, {"contract", "net", std::nullopt}, 1};
  auto made = provider->create({"network", marker, old.id, {{"cidr", "10.20.0.0/24"}}}, {});
  ASSERT_TRUE(made) << made.error().render();
  auto listed = provider->list("network", old.id, {});
  ASSERT_TRUE(listed) << listed.error().render();
  std::set<bool> marked;
  for (const auto& each : *listed) {
    if (each.provider_id == old.network || each.marker) marked.insert(each.marker.has_value());
  }
  EXPECT_EQ(marked, (std::set<bool>{false, true}));

  EXPECT_EQ(kind_of(provider->remove_boundary(old.id, {})), ErrorKind::FailedPrecondition);
  ASSERT_TRUE(provider->remove("network", old.id, made->provider_id, {}));
  auto given_back = provider->remove_boundary(old.id, {});
  ASSERT_TRUE(given_back) << given_back.error().render();
  EXPECT_EQ(tags_of(old.id), before);
  EXPECT_EQ(string_member(project_of(old.id), "description"), "Theirs.");
  EXPECT_EQ(own_roles(old.id), std::set<std::string>());
  EXPECT_TRUE(old.has_network());
  auto found = provider->find_boundary(wanted.environment_uid, {});
  ASSERT_TRUE(found);
  EXPECT_FALSE(*found);
  // It is nobody's now, and not ours to remove.
  EXPECT_EQ(kind_of(provider->remove_boundary(old.id, {})), ErrorKind::Refused);
}

TEST_F(ProviderBoundaries, RolesThatWereThereBeforeStay) {
  const OldProject old;
  auto token = ground().home().session().token({});
  auto role = ground().home().role_id("member", {});
  ASSERT_TRUE(token && role);
  ASSERT_TRUE(ground().home().assign((*token)->user_id, old.id, *role, {}));
  const auto adopted = provider->ensure_boundary(request(old.id), {});
  ASSERT_TRUE(adopted) << adopted.error().render();
  EXPECT_EQ(*adopted, old.id);
  auto given_back = provider->remove_boundary(old.id, {});
  ASSERT_TRUE(given_back) << given_back.error().render();
  EXPECT_EQ(own_roles(old.id), std::set<std::string>{"member"});
}

TEST_F(ProviderBoundaries, ProjectOfAnotherEnvironmentIsNotAdopted) {
  const OldProject old;
  ASSERT_TRUE(provider->ensure_boundary(request(old.name), {}));
  const auto tags = tags_of(old.id);
  EXPECT_EQ(code_of(provider->ensure_boundary(request(old.id), {})), "openstack.adopted-already");
  EXPECT_EQ(tags_of(old.id), tags);
  Place made(*provider);
  EXPECT_EQ(code_of(provider->ensure_boundary(request(made.boundary), {})),
            "openstack.adopted-already");
  auto other = made.request();
  other.adopt = old.name;
  EXPECT_EQ(kind_of(provider->ensure_boundary(other, {})), ErrorKind::Conflict);
  EXPECT_TRUE(provider->remove_boundary(old.id, {}));
}

TEST_F(ProviderBoundaries, ProjectWithTwoOwnersIsForAPersonToSettle) {
  const OldProject old;
  const auto wanted = request(old.name);
  ASSERT_TRUE(provider->ensure_boundary(wanted, {}));
  ASSERT_TRUE(ground().home().tag(old.id, "bailey:env-other", {}));
  EXPECT_EQ(kind_of(provider->ensure_boundary(wanted, {})), ErrorKind::Conflict);
  EXPECT_EQ(kind_of(provider->remove_boundary(old.id, {})), ErrorKind::Conflict);
  ASSERT_TRUE(ground().admin().remove(Service::Identity,
                                      "/projects/" + old.id + "/tags/bailey%3Aenv-other"));
  EXPECT_TRUE(provider->ensure_boundary(wanted, {}));
  EXPECT_TRUE(provider->remove_boundary(old.id, {}));
}

TEST_F(ProviderBoundaries, OnlyAProjectOfTheDomainIsAdopted) {
  EXPECT_EQ(kind_of(provider->ensure_boundary(request("bailey-contract-none"), {})),
            ErrorKind::NotFound);
  const OwnDomain domain;
  const OldProject elsewhere(domain.id);
  for (const auto& named : {elsewhere.name, elsewhere.id, domain.id}) {
    EXPECT_EQ(kind_of(provider->ensure_boundary(request(named), {})), ErrorKind::NotFound);
  }
  EXPECT_EQ(tags_of(elsewhere.id), (Tags{"bailey-team", "theirs"}));
}

TEST_F(ProviderBoundaries, ProjectThatTheAccountRulesIsNotAdopted) {
  auto token = ground().home().session().token({});
  ASSERT_TRUE(token);
  const auto before = tags_of((*token)->project_id);
  EXPECT_EQ(code_of(provider->ensure_boundary(request((*token)->project_id), {})),
            "openstack.adopt-admin");
  EXPECT_EQ(tags_of((*token)->project_id), before);
}

TEST_F(ProviderBoundaries, InterruptedAdoptionIsFinished) {
  const OldProject old;
  ASSERT_TRUE(ground().home().tag(old.id, std::string(openstack::kAdoptedTag), {}));
  const auto wanted = request(old.name);
  EXPECT_TRUE(provider->ensure_boundary(wanted, {}));
  // One that stopped before anybody was let in can be given back as well.
  auto token = ground().home().session().token({});
  for (const auto& tag : tags_of(old.id)) {
    if (!tag.starts_with(openstack::kGrantedTag)) continue;
    const auto role = tag.substr(tag.rfind(':') + 1);
    (void)ground().admin().remove(Service::Identity, "/projects/" + old.id + "/users/" +
                                                         (*token)->user_id + "/roles/" + role);
  }
  auto given_back = provider->remove_boundary(old.id, {});
  ASSERT_TRUE(given_back) << given_back.error().render();
  EXPECT_EQ(tags_of(old.id), (Tags{"bailey-team", "theirs"}));
}

TEST_F(ProviderBoundaries, ApplicationCredentialAdoptsThroughAUserOfItsOwn) {
  auto token = ground().home().session().token({});
  ASSERT_TRUE(token);
  const auto path = "/users/" + (*token)->user_id + "/application_credentials";
  auto made = ground().admin().post(
      Service::Identity, path,
      {{"application_credential",
        {{"name", ground().unique("bailey-contract-")}, {"unrestricted", true}}}});
  ASSERT_TRUE(made) << made.error().render();
  const auto& credential = member(*made, "application_credential");
  const OldProject old;
  {
    // By name and user, which needs no id of the credential.
    const Secret login(Json{{"application_credential_name", string_member(credential, "name")},
                            {"application_credential_secret", string_member(credential, "secret")},
                            {"user_id", (*token)->user_id}}
                           .dump());
    const auto robot = open(ground().cloud().account, login);
    const auto adopted = robot->ensure_boundary(request(old.name), {});
    EXPECT_TRUE(adopted) << adopted.error().render();
    auto listed = robot->list("network", old.id, {});
    EXPECT_TRUE(listed && !listed->empty());
    auto given_back = robot->remove_boundary(old.id, {});
    EXPECT_TRUE(given_back) << given_back.error().render();
  }
  (void)ground().admin().remove(Service::Identity, path + "/" + string_member(credential, "id"));
  EXPECT_EQ(tags_of(old.id), (Tags{"bailey-team", "theirs"}));
  auto domain = ground().home().domain(EnvironmentClass::Sandbox, {});
  auto worker = ground().home().user_named("bailey-worker-" + old.id, *domain, {});
  ASSERT_TRUE(worker);
  EXPECT_FALSE(*worker);
}

TEST_F(ProviderBoundaries, ToolsGetRegionAndInterface) {
  Place place(*provider);
  auto user = provider->ensure_identity({place.uid, "contract", "app", place.boundary, {"member"}},
                                        std::nullopt, {});
  ASSERT_TRUE(user) << user.error().render();
  place.users.push_back(user->id);
  auto issued = provider->issue(
      *user,
      {.boundary = place.boundary,
       .name = "tools",
       .grants = {"member"},
       .expires_at = ground().cloud().clock().wall_now() + std::chrono::minutes(10)},
      {});
  ASSERT_TRUE(issued) << issued.error().render();
  auto variables = provider->tool_environment(issued->material);
  ASSERT_TRUE(variables);
  EXPECT_EQ(variables->at("OS_REGION_NAME").reveal(), "RegionOne");
  const auto& account = ground().cloud().account;
  EXPECT_EQ(variables->at("OS_INTERFACE").reveal(),
            account.interface.empty() ? "public" : account.interface);
  EXPECT_EQ(variables->contains("OS_CACERT"), !account.ca_file.empty());
}

}  // namespace
}  // namespace bailey::contract
