#include "orchestrator/declare/duties/prove_duties.hpp"

#include "orchestrator/declare/duties/report.hpp"

namespace bailey {

namespace {

void check_declared(duties::Standings& standings, Diagnostics& diagnostics) {
  duties::check_satisfiable(standings, diagnostics);
  duties::check_exclusive(standings, diagnostics);
  duties::check_flows(standings, diagnostics);
}

}  // namespace

void check_policy(const Bundle& bundle, const BundlePlaces& places, Diagnostics& diagnostics) {
  duties::Standings standings(bundle, places);
  check_declared(standings, diagnostics);
}

void prove_duties(const Bundle& bundle, const BundlePlaces& places, Diagnostics& diagnostics) {
  duties::Standings standings(bundle, places);
  check_declared(standings, diagnostics);
  duties::check_failures(standings, diagnostics);
}

}  // namespace bailey
