// Reads a folder of specs and proves its duties, as `bailey duties check` does, and prints what
// each took of a processor as one JSON object.
//
//   bench_duties FOLDER

#include "orchestrator/base/json.hpp"
#include "orchestrator/declare/duties/prove_duties.hpp"
#include "orchestrator/declare/spec/source_files.hpp"
#include "providers/openstack/schema.hpp"

#include <cstdio>
#include <ctime>
#include <fstream>
#include <string>

namespace {

using namespace bailey;

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

std::size_t peak_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoul(line.substr(6)) * 1024;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: bench_duties FOLDER\n");
    return 64;
  }
  Diagnostics reading;
  const auto sources = collect_sources({argv[1]}, reading);
  BundlePlaces places;
  const auto began = cpu_seconds();
  const auto bundle =
      sources
          ? read_bundle(*sources, {{"openstack", openstack::openstack_schema()}}, reading, &places)
          : std::optional<Bundle>();
  if (!bundle) {
    for (const auto& finding : reading.sorted())
      std::fprintf(stderr, "%s\n", finding.detail.c_str());
    return 1;
  }
  const auto read = cpu_seconds();
  const auto before = peak_bytes();
  Diagnostics proof;
  prove_duties(*bundle, places, proof);
  const auto proven = cpu_seconds();
  Json codes = Json::object();
  for (const auto& finding : proof.sorted()) codes[finding.code] = codes.value(finding.code, 0) + 1;
  const Json found{{"people", bundle->directory.people.size()},
                   {"environments", bundle->environments.size()},
                   {"duties", bundle->duties.exclusive.size() + bundle->duties.flows.size()},
                   {"findings", codes},
                   {"seconds", {{"read", read - began}, {"prove", proven - read}}},
                   {"peak_bytes", peak_bytes()},
                   {"prove_bytes", peak_bytes() - before}};
  std::printf("%s\n", found.dump().c_str());
  return 0;
}
