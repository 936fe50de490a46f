#pragma once

#include "orchestrator/base/diagnostic.hpp"
#include "orchestrator/declare/spec/bundle_reader.hpp"
#include "orchestrator/model/bundle.hpp"

namespace bailey {

/// What a bundle must hold to before it decides anything; its errors refuse the bundle:
///
/// - `policy.unsatisfiable`: gates that nobody can pass, or only their own author could;
/// - `duty.exclusive`: a person can come to hold what a duty of the bundle excludes;
/// - `duty.tester-alters-production`, `duty.untrusted-flow`: a flow of the bundle lets people write
///   what a higher class reads, without being trusted there.
///
/// `policy.unsatisfiable-for-some` is a warning. Each finding of a duty carries the shortest path
/// by which the first of the people gets there. Pure; time and memory grow with what is declared.
void check_policy(const Bundle& bundle, const BundlePlaces& places, Diagnostics& diagnostics);

/// check_policy(), and the common failures whether or not a duty of the bundle forbids them:
///
/// - `duty.author-controls-production`: who writes what production runs controls production;
/// - `duty.tester-alters-production`: who works in a lower class can write what production reads;
/// - `duty.operator-passes-approval`: who acts in an environment lets the changes in;
/// - `duty.token-in-anothers-name`, a warning: who has no key acts in production.
void prove_duties(const Bundle& bundle, const BundlePlaces& places, Diagnostics& diagnostics);

}  // namespace bailey
