#pragma once

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/net/curl_http_client.hpp"
#include "orchestrator/net/limited_http_client.hpp"
#include "providers/devcloud/devcloud.hpp"
#include "providers/openstack/boundary.hpp"
#include "providers/openstack/credential.hpp"
#include "providers/openstack/openstack_plugin.hpp"
#include "tests/support/fake_clock.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <string>

/// The clouds that the provider's contract is held against: a real OpenStack when the environment
/// names one (BAILEY_TEST_OS_AUTH_URL and the rest of an openrc, with BAILEY_TEST_ before each
/// name), else the embedded one, in process and on fake time.
namespace bailey::contract {

using openstack::Api;
using openstack::Service;

inline std::string variable(const std::string& name) {
  const char* value = std::getenv(("BAILEY_TEST_OS_" + name).c_str());
  return value == nullptr ? std::string() : std::string(value);
}

struct ContractCloud {
  virtual ~ContractCloud() = default;
  virtual Clock& clock() = 0;
  /// Time passes for the cloud and for the provider.
  virtual void pass(std::chrono::milliseconds duration) = 0;
  Account account;
  Secret credential;
};

struct RealCloud final : ContractCloud {
  RealCloud() {
    account.endpoint = variable("AUTH_URL");
    account.region = variable("REGION_NAME");
    account.interface = variable("INTERFACE");
    account.ca_file = variable("CACERT");
    Json login{{"username", variable("USERNAME")},
               {"password", variable("PASSWORD")},
               {"project_name", variable("PROJECT_NAME")}};
    for (const std::string whose : {"user", "project"}) {
      const std::string upper = whose == "user" ? "USER" : "PROJECT";
      for (const auto& [form, suffix] : {std::pair{"id", "ID"}, std::pair{"name", "NAME"}}) {
        const auto value = variable(upper + "_DOMAIN_" + suffix);
        if (!value.empty()) login[whose + "_domain_" + form] = value;
      }
    }
    credential = Secret(login.dump());
  }
  Clock& clock() override { return clock_; }
  void pass(std::chrono::milliseconds duration) override { clock_.sleep_for(duration, {}); }

 private:
  SystemClock clock_;
};

struct EmbeddedCloud final : ContractCloud {
  EmbeddedCloud() {
    DevcloudOptions options;
    options.clock = &clock_;
    auto started = Devcloud::start(options);
    if (!started) {
      ADD_FAILURE() << started.error().render();
      return;
    }
    cloud_ = std::move(*started);
    account.endpoint = cloud_->auth_url();
    credential = Secret(Json{
        {"username", "admin"},
        {"password", cloud_->admin_password().reveal()},
        {"user_domain_name", "Default"},
        {"project_name", "admin"},
        {"project_domain_name",
         "Default"}}.dump());
  }
  Clock& clock() override { return clock_; }
  void pass(std::chrono::milliseconds duration) override { clock_.advance(duration); }

 private:
  test::FakeClock clock_;
  std::unique_ptr<Devcloud> cloud_;
};

inline std::unique_ptr<ContractCloud> make_cloud() {
  std::unique_ptr<ContractCloud> cloud;
  if (variable("AUTH_URL").empty()) {
    cloud = std::make_unique<EmbeddedCloud>();
  } else {
    cloud = std::make_unique<RealCloud>();
  }
  cloud->account.name = "contract";
  cloud->account.provider = "openstack";
  cloud->account.limits.concurrency = 8;
  return cloud;
}

/// One cloud for all tests of a program, with a flavor and an image of its own, and the
/// administrator's hands to prepare and to check what no provider call does.
class Ground {
 public:
  static Ground& instance() {
    static Ground ground;
    return ground;
  }

  ContractCloud& cloud() { return *cloud_; }
  HttpClient& http() { return http_; }
  Random& random() { return random_; }
  Doors doors() { return {http_, health_, cloud_->clock(), random_}; }
  openstack::Home& home() { return *home_; }
  Api admin() { return home_->api({}); }
  const std::string& flavor() const { return flavor_; }
  const std::string& image() const { return image_; }
  std::string unique(const std::string& prefix) { return prefix + hex(random_.bytes(4)); }

  Result<std::shared_ptr<Provider>> open(const Secret& credential) {
    return openstack_plugin().open(ProviderContext{.account = cloud_->account,
                                                   .credential = credential,
                                                   .http = http_,
                                                   .clock = cloud_->clock(),
                                                   .random = random_});
  }

  void upload(const std::string& image) {
    auto token = home_->session().token({});
    ASSERT_TRUE(token);
    HttpRequest request;
    request.method = "PUT";
    request.ca_file = home_->session().options().ca_file;
    request.url = (*token)->endpoints.at(Service::Image) + "/images/" + image + "/file";
    request.headers = {{"Content-Type", "application/octet-stream"}};
    request.secret_headers = {{"X-Auth-Token", (*token)->id}};
    request.body = "sixteen bytes...";
    auto answer = http_.send(request, {});
    ASSERT_TRUE(answer) << answer.error().render();
    ASSERT_EQ(answer->status, 204) << answer->body;
  }

  void release() {
    if (!flavor_id_.empty()) (void)admin().remove(Service::Compute, "/flavors/" + flavor_id_);
    if (!image_id_.empty()) (void)admin().remove(Service::Image, "/images/" + image_id_);
    flavor_id_.clear();
    image_id_.clear();
  }

 private:
  Ground()
      : cloud_(make_cloud()), http_(curl_, cloud_->clock(), cloud_->account.limits.concurrency, 0) {
    auto options = openstack::session_options(cloud_->account, cloud_->credential);
    home_ = std::make_unique<openstack::Home>(*options, doors());
    make_flavor();
    make_image();
  }

  void make_flavor() {
    flavor_ = unique("bailey-contract-");
    auto made =
        admin().post(Service::Compute, "/flavors",
                     {{"flavor", {{"name", flavor_}, {"ram", 64}, {"vcpus", 1}, {"disk", 1}}}});
    ASSERT_TRUE(made) << made.error().render();
    flavor_id_ = string_member(member(*made, "flavor"), "id");
  }

  void make_image() {
    image_ = unique("bailey-contract-");
    auto made = admin().post(Service::Image, "/images",
                             {{"name", image_},
                              {"disk_format", "raw"},
                              {"container_format", "bare"},
                              {"visibility", "public"}});
    ASSERT_TRUE(made) << made.error().render();
    image_id_ = string_member(*made, "id");
    upload(image_id_);
  }

  SystemRandom random_;
  std::unique_ptr<ContractCloud> cloud_;
  CurlHttpClient curl_;
  LimitedHttpClient http_;
  ServiceHealth health_;
  std::unique_ptr<openstack::Home> home_;
  std::string flavor_;
  std::string flavor_id_;
  std::string image_;
  std::string image_id_;
};

/// Whether the cloud has such a service: tests of what needs it end early where it has not.
inline bool has(Service service) {
  auto token = Ground::instance().home().session().token({});
  return token && (*token)->endpoints.contains(service);
}

/// One environment at the cloud, emptied and removed at the end whatever a test left in it.
struct Place {
  explicit Place(Provider& at, const std::string& named = "contract") : provider(at) {
    uid = EnvironmentUid(Ground::instance().unique("env-"));
    name = named;
    auto made = provider.ensure_boundary(request(), {});
    if (!made) {
      ADD_FAILURE() << made.error().render();
      return;
    }
    boundary = *made;
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    for (const auto* type :
         {"floating-ip", "server", "server-group", "volume", "router", "network", "security-group",
          "secret", "keypair", "shared-image", "container", "zone", "quota"}) {
      auto all = provider.list(type, boundary, {});
      if (!all) continue;
      for (const auto& thing : *all) (void)provider.remove(type, boundary, thing.provider_id, {});
    }
    for (const auto& user : users) (void)provider.remove_identity(user, {});
    auto gone = provider.remove_boundary(boundary, {});
    EXPECT_TRUE(gone) << gone.error().render();
  }

  [[nodiscard]] BoundaryRequest request() const {
    return {.environment_uid = uid,
            .environment = name,
            .project = "payments",
            .environment_class = EnvironmentClass::Sandbox};
  }
  [[nodiscard]] Marker marker(const std::string& resource, int generation = 1) const {
    return {uid, {name, resource, std::nullopt}, generation};
  }
  [[nodiscard]] ResourceRequest ask(const std::string& type, const std::string& resource,
                                    Json inputs) const {
    return {type, marker(resource), boundary, std::move(inputs)};
  }
  /// Made, or a failed test and an empty Observed.
  Observed make(const std::string& type, const std::string& resource, Json inputs) {
    auto made = provider.create(ask(type, resource, std::move(inputs)), {});
    if (!made) {
      ADD_FAILURE() << made.error().render();
      return {};
    }
    return *made;
  }
  Observed make_server(const std::string& resource, const Observed& network, Json extra = {}) {
    Json inputs{{"flavor", Ground::instance().flavor()},
                {"image", Ground::instance().image()},
                {"network", network.provider_id}};
    if (extra.is_object()) inputs.update(extra);
    return make("server", resource, std::move(inputs));
  }
  /// Raw calls inside the project.
  Api inside() {
    auto project = Ground::instance().home().project(boundary, {});
    return {(*project)->session, {}};
  }

  Provider& provider;
  EnvironmentUid uid;
  std::string name;
  std::string boundary;
  std::vector<std::string> users;
};

/// Gives what the suite has made for itself back at the end of the program.
class Release final : public ::testing::Environment {
 public:
  void TearDown() override { Ground::instance().release(); }
};

inline const ::testing::Environment* const kRelease =
    ::testing::AddGlobalTestEnvironment(new Release);

}  // namespace bailey::contract
