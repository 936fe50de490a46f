#pragma once

#include "orchestrator/declare/spec/bundle_reader.hpp"
#include "orchestrator/declare/spec/source_files.hpp"
#include "orchestrator/model/provider_schema.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace bailey::test {

/// Distinct valid keys, made for these tests; nobody holds their private halves.
inline std::string ssh_key(std::size_t number) {
  constexpr std::array kKeys{
      "OyFSyWS3xQoK14bQdZe1EfDi8lqWVINaLV291wepyRY", "G3+r0cUNwTzlb9FKfW3+Pu8cT/eYKk3CWab9j0m79Pu",
      "OxIfLRXLJ+fNmSIndXAK09wuNOA01CyprJVyz/dQd1y", "AD5Hb58zJZy7+yz81c1OneVm4QiczLsc3Xjj+sW9OwY",
      "LE7i3HAtG4do4EGHL9exNEIVTGIurmGt0X3b0A64ECS", "LUJYVWY2GCloUal7yu9tBW32vnIaLVvNuQ9LJFgivNK"};
  return std::string("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI") + kKeys.at(number);
}

/// A small cloud `demo` and a registry `oci`.
inline ProviderSchemas demo_schemas() {
  const auto field = [](std::string name, FieldType type, bool required = false) {
    FieldSchema schema;
    schema.name = std::move(name);
    schema.type = type;
    schema.required = required;
    return schema;
  };
  const auto refers = [&](std::string name, FieldType type, std::string to) {
    auto schema = field(std::move(name), type);
    schema.refers_to = std::move(to);
    return schema;
  };
  auto cidr = field("cidr", FieldType::String, true);
  cidr.format = "cidr";
  auto protocol = field("protocol", FieldType::String, true);
  protocol.allowed = {"tcp", "udp"};
  auto port = field("port", FieldType::Integer, true);
  port.format = "port";
  auto from = field("from", FieldType::String);
  from.format = "cidr";
  auto ingress = field("ingress", FieldType::ObjectList);
  ingress.fields = {protocol, port, from};
  auto generate = field("generate", FieldType::Object);
  generate.fields = {field("length", FieldType::Integer, true)};

  ProviderSchema demo;
  demo.name = "demo";
  demo.account_options = {"/interface", "/caFile", "/domains", "/credential/cloud"};
  demo.environment_options = {"/boundary"};
  demo.endpoint_in_credential = true;
  demo.resource_types["network"] = {"network", "A network.", {cidr}, {{"id", "Its id."}}};
  demo.resource_types["security-group"] = {"security-group", "Rules.", {ingress}, {}};
  demo.resource_types["secret"] = {"secret", "A secret.", {generate}, {{"ref", "Its address."}}};
  demo.resource_types["server"] = {
      "server",
      "A machine.",
      {field("flavor", FieldType::String, true), field("image", FieldType::String, true),
       refers("network", FieldType::String, "network"),
       refers("securityGroups", FieldType::StringList, "security-group"),
       field("metadata", FieldType::StringMap), field("monitored", FieldType::Boolean)},
      {{"address", "Its address."}}};
  ProviderSchema registry;
  registry.name = "oci";
  registry.cloud = false;
  return {{"demo", demo}, {"oci", registry}};
}

/// `text` with the one place where `from` stands changed to `to`.
inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  if (at == std::string::npos) return text;
  EXPECT_EQ(text.find(from, at + 1), std::string::npos) << from << " stands there twice";
  return text.replace(at, from.size(), to);
}

/// The documents of a complete organization; together they are valid without any finding.
struct Acme {
  std::string directory = R"(apiVersion: bailey/v1
kind: Directory
metadata: {name: acme}
spec:
  people:
    alice: {email: alice@acme.example, keys: [")" +
                          ssh_key(0) + R"( alice"]}
    bob: {email: bob@acme.example, keys: [")" +
                          ssh_key(1) + R"("]}
    carol: {email: carol@acme.example, keys: [")" +
                          ssh_key(2) + R"("]}
    dave.jones: {email: dave@acme.example}
  services:
    ci: {controlledBy: [group:leads], keys: [")" +
                          ssh_key(3) + R"("]}
  groups:
    devs: [alice]
    leads: [carol]
    managers: [bob, group:leads]
)";
  std::string organization = R"(apiVersion: bailey/v1
kind: Organization
metadata: {name: acme}
spec: {administrators: {members: [group:leads, alice], approvals: 2}}
)";
  std::string accounts = R"(apiVersion: bailey/v1
kind: Account
metadata: {name: cloud-production}
spec:
  provider: demo
  classes: [production]
  endpoint: https://cloud.example/v3
  credential: {file: /etc/bailey/production.json}
---
apiVersion: bailey/v1
kind: Account
metadata: {name: cloud}
spec:
  provider: demo
  classes: [sandbox, development, test, staging]
  endpoint: http://127.0.0.1:5000/v3
  credential: {env: CLOUD_CREDENTIAL}
  limits: {concurrency: 8, sandboxesPerOwner: 2, maximumTtl: 48h}
---
apiVersion: bailey/v1
kind: Account
metadata: {name: registry}
spec:
  provider: oci
  classes: [production]
  endpoint: http://127.0.0.1:5001
  credential: {command: [get-secret, registry]}
)";
  std::string web_service = R"(apiVersion: bailey/v1
kind: Template
metadata: {name: web-service}
spec:
  provider: demo
  parameters:
    flavor: {type: string, enum: [small, large], default: small}
    replicas: {type: integer, minimum: 1, maximum: 20, default: 1}
    range: {type: string, default: 10.20.0.0/24}
    monitored: {type: boolean, default: false}
  artifacts: [web]
  resources:
    net: {type: network, cidr: "${parameter.range}", protect: true}
    web-sg: {type: security-group, ingress: [{protocol: tcp, port: 443, from: 0.0.0.0/0}]}
    password: {type: secret, generate: {length: 32}}
    web:
      type: server
      count: ${parameter.replicas}
      flavor: ${parameter.flavor}
      image: cirros-${environment.class}
      network: ${resource.net}
      securityGroups: ["${resource.web-sg}"]
      monitored: ${parameter.monitored}
      metadata: {artifact: "${artifact.web.digest}", password: "${resource.password.ref}"}
    probe: {type: server, flavor: small, image: cirros, metadata: {target: "http://${resource.web[0].address}/"}}
  outputs: {address: "${resource.web.address}"}
  roles:
    developer: {powers: [read, request, operate], grants: [member]}
    approver: {powers: [read, approve], grants: [reader]}
    deployer: {powers: [read, request, deploy], grants: [member]}
    runtime: {powers: [], grants: [reader]}
)";
  std::string project = R"(apiVersion: bailey/v1
kind: Project
metadata: {name: payments}
spec:
  artifacts: {web: {repository: "127.0.0.1:5001/payments/web"}}
  authors: [group:devs]
  stages: [dev, test, staging, production]
)";
  std::string development = R"(apiVersion: bailey/v1
kind: Environment
metadata: {name: dev}
spec:
  project: payments
  class: development
  account: cloud
  template: web-service
  bindings: {developer: [group:devs]}
  verify: [{command: [checks/smoke, "${environment.name}"], timeout: 5m}]
)";
  std::string testing = R"(apiVersion: bailey/v1
kind: Environment
metadata: {name: test}
spec:
  project: payments
  class: test
  account: cloud
  template: web-service
  verify: [{command: [checks/smoke]}]
  gate: [{verified: {in: dev}}]
)";
  std::string staging = R"(apiVersion: bailey/v1
kind: Environment
metadata: {name: staging}
spec:
  project: payments
  class: staging
  account: cloud
  template: web-service
  verify: [{command: [checks/smoke]}]
  gate:
    - verified: {in: test}
    - approvals: {rules: [{from: group:managers}]}
)";
  std::string production = R"(apiVersion: bailey/v1
kind: Environment
metadata: {name: production}
spec:
  project: payments
  class: production
  account: cloud-production
  template: web-service
  parameters: {flavor: large, replicas: 3}
  bindings:
    approver: [group:managers]
    deployer: [service:ci]
  execute: by-operator
  credentials: {app: {role: runtime, ttl: 12h}}
  gate:
    - verified: {in: staging}
    - soak: {in: staging, for: 24h}
    - approvals: {rules: [{from: group:managers, count: 1}, {from: group:leads, count: 1}], expire: 8h}
    - evidence: {type: "urn:bailey:authorship:v1", signedBy: [service:ci]}
    - check: {command: [checks/ticket, "${change.id}"], timeout: 1m}
    - window: {days: [mon, tue], from: 09:00, to: "16:00", zone: Europe/Berlin}
)";
  std::string sandbox = R"(apiVersion: bailey/v1
kind: Environment
metadata: {name: alice-play}
spec: {project: payments, class: sandbox, account: cloud, template: web-service, owner: alice, ttl: 8h}
)";
  std::string duties = R"(apiVersion: bailey/v1
kind: Duties
metadata: {name: acme}
spec:
  exclusive:
    - {name: author-never-operates, holds: [author@payments, operate@production], control: [SOC2-CC6.3]}
    - {name: approver-never-deploys, holds: [approve@staging, deploy@staging]}
)";
  std::string freeze = R"(apiVersion: bailey/v1
kind: Freeze
metadata: {name: year-end}
spec: {classes: [production], from: 2026-12-20T00:00:00Z, to: 2027-01-03T00:00:00Z, reason: close}
)";
  std::map<std::string, std::string> programs{{"checks/smoke", "#!/bin/sh\n"},
                                              {"checks/ticket", "#!/bin/sh\nexit 0\n"}};

  [[nodiscard]] std::vector<std::string> documents() const {
    return {directory, organization, accounts,   web_service, project, development,
            testing,   staging,      production, sandbox,     duties,  freeze};
  }
  /// One file a member, named after its order.
  [[nodiscard]] BundleSources sources() const {
    BundleSources out;
    out.programs = programs;
    int number = 0;
    for (const auto& text : documents()) {
      out.specs.push_back({"spec" + std::to_string(number++) + ".yaml", text});
    }
    return out;
  }
};

struct Reading {
  std::optional<Bundle> bundle;
  std::vector<Diagnostic> findings;

  [[nodiscard]] std::vector<std::string> codes() const {
    std::vector<std::string> out;
    for (const auto& each : findings) out.push_back(each.code);
    return out;
  }
};

inline Reading read(const BundleSources& sources) {
  Diagnostics diagnostics;
  Reading reading{read_bundle(sources, demo_schemas(), diagnostics), {}};
  reading.findings = diagnostics.sorted();
  EXPECT_EQ(reading.bundle.has_value(), !diagnostics.has_errors());
  return reading;
}

inline Reading read(const Acme& acme) {
  return read(acme.sources());
}

/// The findings, one a line, for the message of a failed expectation.
inline std::string told(const Reading& reading) {
  std::string out;
  for (const auto& each : reading.findings) {
    out += each.code + " " + each.detail;
    if (each.subject) {
      out += " (" + each.subject->file + ":" + std::to_string(each.subject->line) + ":" +
             std::to_string(each.subject->column) + ")";
    }
    out += "\n";
  }
  return out;
}

}  // namespace bailey::test
