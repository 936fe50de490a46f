// Plans every environment of a folder of specs, as a server does and without a provider, and prints
// what each step took of a processor as one JSON object. Then reads the same bytes with plain
// yaml-cpp.
//
//   bench_plan FOLDER

#include "orchestrator/base/json.hpp"
#include "orchestrator/declare/spec/bundle_reader.hpp"
#include "orchestrator/declare/spec/expand.hpp"
#include "orchestrator/declare/spec/source_files.hpp"
#include "orchestrator/provision/plan/planner.hpp"
#include "orchestrator/provision/plan/references.hpp"
#include "providers/openstack/openstack_plugin.hpp"

#include <yaml-cpp/yaml.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>

namespace {

using namespace bailey;

/// Of this process: planning is one thread that never waits, and others' load is none of it.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

/// Adds the time until its end to a sum.
class Stopwatch {
 public:
  explicit Stopwatch(double& sum) : sum_(sum) {}
  ~Stopwatch() { sum_ += cpu_seconds() - began_; }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  double& sum_;
  double began_ = cpu_seconds();
};

std::size_t peak_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoul(line.substr(6)) * 1024;
  }
  return 0;
}

template <class T>
T expect(Result<T> result) {
  if (result) return *std::move(result);
  std::fprintf(stderr, "%s\n", result.error().render().c_str());
  std::exit(1);
}

struct Times {
  double read = 0;
  double expand = 0;
  double create = 0;
  double unchanged = 0;
  double digest = 0;
};

/// What stands once the plan was carried out, with ids and attributes made up.
struct Standing {
  EnvironmentState environment;
  std::vector<ResourceState> resources;
  Refreshed refreshed;
};

Standing standing_after(const Plan& plan) {
  Standing standing;
  standing.environment.uid = EnvironmentUid("env-1");
  standing.environment.name = plan.environment;
  std::map<ResourceAddress, ResourceState> made;
  for (const auto& operation : plan.operations) {
    auto& state = made[operation.address];
    state.address = operation.address;
    state.type = operation.type;
    state.provider_id = "id-of-" + operation.address.local();
    state.attributes = {{"id", state.provider_id}, {"ref", "secret://" + state.provider_id}};
    state.depends_on = operation.depends_on;
  }
  const auto look_up = [&](const ResourceAddress& address) -> const ResourceState* {
    const auto found = made.find(address);
    return found == made.end() ? nullptr : &found->second;
  };
  for (const auto& operation : plan.operations) {
    auto& state = made.at(operation.address);
    state.inputs = expect(resolve_inputs(*operation.after, plan.environment, look_up));
    standing.refreshed.observed[state.address] = {.type = state.type,
                                                  .provider_id = state.provider_id,
                                                  .inputs = state.inputs,
                                                  .attributes = state.attributes,
                                                  .marker = std::nullopt,
                                                  .name = {}};
  }
  for (auto& [address, state] : made) standing.resources.push_back(std::move(state));
  return standing;
}

Plan plan_of(const Expansion& desired, const Standing& standing, const ProviderSchema& schema) {
  return expect(make_plan({.kind = PlanKind::Apply,
                           .desired = desired,
                           .environment = standing.environment,
                           .resources = standing.resources,
                           .refreshed = standing.refreshed,
                           .schema = schema,
                           .policy_digest = "",
                           .template_digest = "",
                           .artifacts = {}}));
}

std::size_t plan_environment(const Bundle& bundle, const Environment& environment,
                             const ProviderSchema& schema, Times& times) {
  Expansion desired;
  {
    const Stopwatch watch(times.expand);
    desired = expand(bundle, environment, {});
  }
  Standing standing;
  standing.environment.name = environment.name;
  Plan plan;
  {
    const Stopwatch watch(times.create);
    plan = plan_of(desired, standing, schema);
  }
  const auto digest = plan.digest;
  {
    const Stopwatch watch(times.digest);
    seal(plan);
  }
  if (plan.digest != digest) std::exit(1);
  const auto size = plan.operations.size();
  standing = standing_after(plan);
  plan = {};
  const Stopwatch watch(times.unchanged);
  if (!plan_of(desired, standing, schema).empty()) {
    std::fprintf(stderr, "what was just made is to be changed\n");
    std::exit(1);
  }
  return size;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  ProviderSchemas schemas;
  schemas["openstack"] = openstack_plugin().schema;
  Times times;
  Diagnostics diagnostics;
  std::optional<Bundle> bundle;
  std::optional<BundleSources> sources;
  {
    const Stopwatch watch(times.read);
    sources = collect_sources({argv[1]}, diagnostics);
    if (sources) bundle = read_bundle(*sources, schemas, diagnostics);
  }
  if (!bundle) {
    for (const auto& finding : diagnostics.sorted()) {
      std::fprintf(stderr, "%s %s\n", finding.code.c_str(), finding.detail.c_str());
    }
    return 1;
  }
  std::size_t resources = 0;
  for (const auto& [name, environment] : bundle->environments) {
    resources += plan_environment(*bundle, environment, schemas.at("openstack"), times);
  }
  const auto peak = peak_bytes();
  double yaml = 0;
  for (const auto& file : sources->specs) {
    const Stopwatch watch(yaml);
    if (YAML::LoadAll(file.text).empty()) return 1;
  }
  const Json seconds = {{"read", times.read},           {"expand", times.expand},
                        {"create", times.create},       {"digest", times.digest},
                        {"unchanged", times.unchanged}, {"yaml", yaml}};
  std::printf(
      "%s\n",
      Json{{"resources", resources}, {"seconds", seconds}, {"peak_bytes", peak}}.dump().c_str());
  return 0;
}
