#include "providers/openstack/credential.hpp"

#include "orchestrator/base/file.hpp"
#include "orchestrator/base/json.hpp"
#include "providers/openstack/login_options.hpp"

#include <gtest/gtest.h>

namespace bailey::openstack {
namespace {

constexpr auto kJson = R"({"username": "u", "password": "hunter2", "user_domain_name": "D",
  "project_name": "p", "project_domain_id": "default"})";

constexpr auto kClouds = R"(# openstacksdk's
clouds:
  acme:
    auth_type: password
    auth:
      auth_url: https://cloud.example/v3
      username: u
      password: "hunter2"
      user_domain_name: D
      project_id: 0123
    region_name: R1
    interface: internal
    compute_api_version: 2.1
  robot:
    auth_type: v3applicationcredential
    auth:
      auth_url: https://cloud.example
      application_credential_id: ac
      application_credential_secret: hunter2
)";

constexpr auto kOpenrc = R"(#!/usr/bin/env bash
# as Horizon writes it
export OS_AUTH_URL=https://cloud.example/v3
export OS_PROJECT_NAME="a \"b\" \$c"   # with quotes
export OS_USERNAME='u'"'"'s' OS_PASSWORD=hunter\ 2
export OS_USER_DOMAIN_NAME=
OS_USER_DOMAIN_ID=default
export OS_PROJECT_DOMAIN_NAME="Default" OTHER=x
export OS_TENANT_ID=old
unset OS_TENANT_ID OS_NOTHING
export OS_REGION_NAME=R1
export OS_INTERFACE=publicURL
)";

Account account(const std::string& endpoint = "https://cloud.example/v3") {
  Account made;
  made.name = "a";
  made.endpoint = endpoint;
  return made;
}

Account choosing(const std::string& cloud) {
  auto made = account("");
  made.credential.cloud = cloud;
  return made;
}

/// What was refused, how, and that no secret was told with it.
void expect_refused(const Result<SessionOptions>& result, ErrorKind kind,
                    const std::string& named) {
  ASSERT_FALSE(result) << named;
  EXPECT_EQ(result.error().kind(), kind) << result.error().render();
  const auto told = result.error().render();
  EXPECT_NE(told.find(named), std::string::npos) << told;
  EXPECT_EQ(told.find("hunter"), std::string::npos) << told;
}

const PasswordLogin& password(const SessionOptions& options) {
  return std::get<PasswordLogin>(options.login);
}
const ApplicationCredentialLogin& robot(const SessionOptions& options) {
  return std::get<ApplicationCredentialLogin>(options.login);
}

TEST(SessionOptions, ReadsJson) {
  const auto read = session_options(account(), Secret(kJson));
  ASSERT_TRUE(read) << read.error().render();
  EXPECT_EQ(read->auth_url, "https://cloud.example/v3");
  EXPECT_EQ(read->interface, "public");
  EXPECT_EQ(password(*read).user_name, "u");
  EXPECT_EQ(password(*read).password.reveal(), "hunter2");
  EXPECT_EQ(read->scope.project_name, "p");
  EXPECT_EQ(read->scope.domain_id, "default");
}

TEST(SessionOptions, ReadsCloudsYaml) {
  const auto read = session_options(choosing("acme"), Secret(kClouds));
  ASSERT_TRUE(read) << read.error().render();
  EXPECT_EQ(read->auth_url, "https://cloud.example/v3");
  EXPECT_EQ(read->region, "R1");
  EXPECT_EQ(read->interface, "internal");
  EXPECT_EQ(password(*read).domain_name, "D");
  EXPECT_EQ(read->scope.project_id, "0123");
  const auto other = session_options(choosing("robot"), Secret(kClouds));
  ASSERT_TRUE(other) << other.error().render();
  EXPECT_EQ(robot(*other).id, "ac");
}

TEST(SessionOptions, ReadsOpenrcAsAShellWould) {
  const auto read = session_options(account(""), Secret(kOpenrc));
  ASSERT_TRUE(read) << read.error().render();
  EXPECT_EQ(read->auth_url, "https://cloud.example/v3");
  EXPECT_EQ(read->scope.project_id, "");
  EXPECT_EQ(read->scope.project_name, "a \"b\" $c");
  EXPECT_EQ(read->scope.domain_name, "Default");
  EXPECT_EQ(password(*read).user_name, "u's");
  EXPECT_EQ(password(*read).password.reveal(), "hunter 2");
  EXPECT_EQ(password(*read).domain_id, "default");
  EXPECT_EQ(read->region, "R1");
  EXPECT_EQ(read->interface, "public");
}

TEST(SessionOptions, ReadsApplicationCredentialsByNameAndUser) {
  const auto by_name = session_options(
      account(), Secret("OS_APPLICATION_CREDENTIAL_NAME=n\nOS_APPLICATION_CREDENTIAL_SECRET=s\n"
                        "OS_USERNAME=u\nOS_USER_DOMAIN_NAME=D\n"));
  ASSERT_TRUE(by_name) << by_name.error().render();
  EXPECT_EQ(robot(*by_name).name, "n");
  EXPECT_EQ(robot(*by_name).user.domain_name, "D");
  const auto body = auth_body(by_name->login, {});
  const auto& part = body["auth"]["identity"]["application_credential"];
  EXPECT_EQ(part["name"], "n");
  EXPECT_EQ(part["user"]["domain"]["name"], "D");
  EXPECT_FALSE(part.contains("id"));
  expect_refused(session_options(account(), Secret("OS_APPLICATION_CREDENTIAL_NAME=n\n"
                                                   "OS_APPLICATION_CREDENTIAL_SECRET=hunter2\n")),
                 ErrorKind::InvalidArgument, "OS_USERNAME");
}

TEST(SessionOptions, WhatTheAccountSaysComesFirst) {
  auto own = account("HTTPS://Cloud.example/");
  own.endpoint = "https://Cloud.example/";
  own.region = "R2";
  own.interface = "admin";
  own.credential.cloud = "acme";
  const auto read = session_options(own, Secret(kClouds));
  ASSERT_TRUE(read) << read.error().render();
  EXPECT_EQ(read->auth_url, "https://Cloud.example/");
  EXPECT_EQ(read->region, "R2");
  EXPECT_EQ(read->interface, "admin");
}

TEST(SessionOptions, SendsNoPasswordElsewhere) {
  for (const char* endpoint : {"https://cloud.example:5000/v3", "https://cloud.example.evil/v3",
                               "http://127.0.0.1/v3", "https://cloud.example/other/v3"}) {
    auto own = account(endpoint);
    own.credential.cloud = "acme";
    expect_refused(session_options(own, Secret(kClouds)), ErrorKind::Refused,
                   "auth_url\" (line 6)");
  }
}

TEST(SessionOptions, SendsNoPasswordInTheClear) {
  for (const char* url : {"http://cloud.example/v3", "http://127.0.0.1.evil/v3", "cloud.example"}) {
    expect_refused(session_options(account(url), Secret(kJson)), ErrorKind::Refused, "endpoint");
    Json login = Json::parse(kJson);
    login["auth_url"] = url;
    expect_refused(session_options(account(""), Secret(login.dump())), ErrorKind::Refused,
                   "auth_url");
  }
  EXPECT_TRUE(session_options(account("http://127.0.0.1:5000/v3"), Secret(kJson)));
}

TEST(SessionOptions, NeedsAnAddressFromSomewhere) {
  expect_refused(session_options(account(""), Secret(kJson)), ErrorKind::InvalidArgument,
                 "endpoint");
}

TEST(SessionOptions, RefusesNotToVerify) {
  Json login = Json::parse(kJson);
  for (const auto& [name, value] : {std::pair{"verify", Json(false)},
                                    {"verify", "no"},
                                    {"insecure", true},
                                    {"insecure", "x"}}) {
    auto open = login;
    open[name] = value;
    expect_refused(session_options(account(), Secret(open.dump())), ErrorKind::Refused, name);
  }
  login["verify"] = true;
  login["insecure"] = "False";
  EXPECT_TRUE(session_options(account(), Secret(login.dump())));
  const auto yaml = std::string(kClouds) + "    verify: false\n";
  expect_refused(session_options(choosing("robot"), Secret(yaml)), ErrorKind::Refused,
                 "\"verify\" (line 20)");
  expect_refused(session_options(account(), Secret(std::string(kOpenrc) + "OS_INSECURE=true\n")),
                 ErrorKind::Refused, "\"OS_INSECURE\" (line 13)");
}

TEST(SessionOptions, NamesWhatIsMissingAsItsWriterSpellsIt) {
  for (const char* option :
       {"username", "password", "user_domain_name", "project_name", "project_domain_id"}) {
    Json login = Json::parse(kJson);
    login.erase(option);
    const std::string name(option);
    expect_refused(session_options(account(), Secret(login.dump())), ErrorKind::InvalidArgument,
                   "\"" + name + "\"");
  }
  expect_refused(session_options(account(), Secret("OS_USERNAME=u\nOS_USER_DOMAIN_ID=d\n")),
                 ErrorKind::InvalidArgument, "\"OS_PASSWORD\"");
}

TEST(SessionOptions, RefusesLoginsThatItCannotRepeat) {
  for (const char* type : {"token", "v3token", "v3oidcpassword", "none"}) {
    Json login = Json::parse(kJson);
    login["auth_type"] = type;
    expect_refused(session_options(account(), Secret(login.dump())), ErrorKind::InvalidArgument,
                   "auth_type");
  }
}

TEST(SessionOptions, RefusesAnUnknownInterface) {
  Json login = Json::parse(kJson);
  login["interface"] = "private";
  expect_refused(session_options(account(), Secret(login.dump())), ErrorKind::InvalidArgument,
                 "interface");
}

TEST(SessionOptions, ChoosesAmongClouds) {
  expect_refused(session_options(choosing(""), Secret(kClouds)), ErrorKind::InvalidArgument,
                 "robot");
  expect_refused(session_options(choosing("acmee"), Secret(kClouds)), ErrorKind::InvalidArgument,
                 "acme");
  expect_refused(session_options(choosing("acme"), Secret(kJson)), ErrorKind::InvalidArgument,
                 "clouds.yaml");
  const std::string alone(kClouds);
  EXPECT_TRUE(session_options(choosing(""), Secret(alone.substr(0, alone.find("  robot:")))));
}

TEST(SessionOptions, RefusesWhatIsNoForm) {
  for (const char* text : {"", "\n", "hunter2", "[]", "hunter2: {", "clouds: []", "clouds: {}",
                           "clouds:\n  a: &x {hunter: 2}\n", "{\"username\": \"hunter2\"",
                           "clouds: {a: {auth: {password: hunter2}, auth: {}}}"}) {
    const auto read = session_options(account(), Secret(text));
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().kind(), ErrorKind::InvalidArgument);
    EXPECT_EQ(read.error().render().find("hunter"), std::string::npos) << read.error().render();
  }
}

TEST(SessionOptions, ReadsTheAuthoritiesBeforeTheyAreNeeded) {
  const auto folder = TemporaryFolder::create("credential-test");
  ASSERT_TRUE(folder);
  const auto file = (folder->path() / "ca.pem").string();
  auto own = account();
  own.ca_file = file;
  EXPECT_FALSE(session_options(own, Secret(kJson)));
  ASSERT_TRUE(write_file(file, "no certificate\n"));
  expect_refused(session_options(own, Secret(kJson)), ErrorKind::InvalidArgument, "caFile");
  ASSERT_TRUE(write_file(file, "-----BEGIN CERTIFICATE-----\n"));
  const auto read = session_options(own, Secret(kJson));
  ASSERT_TRUE(read) << read.error().render();
  EXPECT_EQ(read->ca_file, file);
  const auto from_login =
      session_options(account(), Secret(std::string(kOpenrc) + "OS_CACERT=" + file + "\n"));
  ASSERT_TRUE(from_login) << from_login.error().render();
  EXPECT_EQ(from_login->ca_file, file);
  own.ca_file = folder->path().string();
  EXPECT_FALSE(session_options(own, Secret(kJson)));
}

TEST(ReadOpenrc, RunsNothing) {
  for (const char* line : {"export OS_PASSWORD=$OS_PASSWORD_INPUT",
                           "export OS_PASSWORD=\"$(pass hunter2)\"",
                           "OS_PASSWORD=`hunter2`",
                           "OS_PASSWORD=\"a`b`\"",
                           "export OS_PASSWORD=hunter2; rm x",
                           "OS_PASSWORD=hunter2 && true",
                           "OS_PASSWORD=a|b",
                           "OS_PASSWORD=<(hunter2)",
                           "OS_CACERT=~/hunter2",
                           "OS_PASSWORD=hunter2\\",
                           "OS_PASSWORD='hunter2",
                           "OS_PASSWORD=\"hunter2",
                           "OS_PASSWORD = hunter2",
                           "export OS_PASSWORD",
                           "read -sr OS_PASSWORD",
                           "echo hunter2",
                           "if [ -z \"$X\" ]; then unset X; fi",
                           "hunter2",
                           "source hunter2",
                           "unset -f hunter2",
                           "OS_PASSWORD[0]=hunter2",
                           "OS_PASSWORD+=hunter2"}) {
    const auto read = read_openrc(std::string("# first\n") + line + "\n");
    ASSERT_FALSE(read) << line;
    EXPECT_EQ(read.error().kind(), ErrorKind::InvalidArgument);
    EXPECT_NE(read.error().message().find("line 2"), std::string::npos);
    EXPECT_EQ(read.error().render().find("hunter"), std::string::npos) << read.error().render();
  }
}

TEST(ReadOpenrc, TakesLinesAsEditorsAndShellsLeaveThem) {
  const auto read = read_openrc(
      "export OS_A=one\r\n\t OS_B=\"x # y\" # z\nOS_C=a#b\nOS_D='a\"b\\c'\nOS_E=a\"b\"'c'\\d\n"
      "OS_F=\"a\\b\\\\\"\nOS_G=first\nOS_G=\nOS_TENANT_NAME=t");
  ASSERT_TRUE(read) << read.error().render();
  EXPECT_EQ(read->get("a"), "one");
  EXPECT_EQ(read->get("b"), "x # y");
  EXPECT_EQ(read->get("c"), "a#b");
  EXPECT_EQ(read->get("d"), "a\"b\\c");
  EXPECT_EQ(read->get("e"), "abcd");
  EXPECT_EQ(read->get("f"), "a\\b\\");
  EXPECT_EQ(read->get("g"), "");
  EXPECT_EQ(read->get("project_name"), "t");
}

}  // namespace
}  // namespace bailey::openstack
