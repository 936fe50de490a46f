#include "tests/model/expectations.hpp"

#include <bit>

namespace bailey::model_check {

namespace {

People behind(const Organization& organization, std::uint8_t who) {
  if (who == kBailey) return 0;
  return who == kCi ? organization.controllers : static_cast<People>(1U << who);
}

/// Who has said yes as their last word, for what would be executed now, and not too long ago.
People agreed(const State& state, const Proposal& proposal) {
  People yes = 0;
  for (const auto& each : proposal.given) {
    const auto bit = static_cast<People>(1U << each.person);
    const bool about_this = each.policy == state.policy &&
                            each.attested == proposal.build.attested && each.tick == state.tick;
    if (!about_this) continue;
    yes = static_cast<People>(each.decision == Decision::Approve ? yes | bit : yes & ~bit);
  }
  return yes;
}

int count(People people) {
  return std::popcount(people);
}

/// Whether two groups can both be satisfied by different people. Tries every way to part them.
bool parts(People agreed, People first, int first_needs, People second, int second_needs) {
  for (People side = 0; side < 16; ++side) {
    const auto left = static_cast<People>(agreed & first & side);
    const auto right = static_cast<People>(agreed & second & ~side);
    if (count(left) >= first_needs && count(right) >= second_needs) return true;
  }
  return false;
}

}  // namespace

std::string what_is_wrong(const Organization& organization, const State& before, std::size_t place,
                          std::uint8_t executor) {
  const auto& proposal = before.open[place];
  if (proposal.policy != before.policy) return "the policy changed since it was planned";
  const auto asked = behind(organization, proposal.requester);
  if (place == kPolicy) {
    const auto after = edited(organization, static_cast<std::uint8_t>(1U << proposal.edit));
    // Whoever is in either group approves; a group that no rule asks for gives nothing beyond that.
    const auto affected =
        (organization.managers ^ after.managers) | (organization.deployers ^ after.deployers) |
        ((organization.managers | organization.security) ^ (after.managers | after.security)) |
        (organization.security_needed > 0 ? organization.security ^ after.security : 0);
    const auto apart = agreed(before, proposal) & organization.administrators & ~asked & ~affected;
    if (count(static_cast<People>(apart)) < organization.administrator_approvals) {
      return "too few administrators, neither proposing it nor concerned, agreed to a policy "
             "change";
    }
    return {};
  }
  // Before anybody attests them, authors are known to nobody; production demands that somebody has.
  const auto authors = proposal.build.attested ? proposal.build.authors : People{0};
  const auto involved = static_cast<People>(asked | authors | behind(organization, executor));
  const auto approvers = static_cast<People>(organization.managers | organization.security);
  const auto yes = static_cast<People>(agreed(before, proposal) & approvers & ~involved);
  if (place == kStaging) {
    if (count(static_cast<People>(yes & organization.managers)) < 1) {
      return "nobody but author, requester and executor agreed to a change of staging";
    }
    return {};
  }
  if (before.verified[1].version != proposal.build.version) {
    return "production runs what was not verified in staging";
  }
  if (!proposal.build.attested) return "nobody had said who wrote it";
  if (count(yes) < 2) return "fewer than two people besides author, requester and executor agreed";
  if (!parts(yes, organization.managers, organization.managers_needed, organization.security,
             organization.security_needed)) {
    return "one person was counted in two groups";
  }
  if (executor == kBailey) {
    return organization.by_operator ? "no operator's hand was on it" : "";
  }
  if (executor != kCi && (organization.deployers >> executor & 1) == 0) {
    return "who executed it may not deploy";
  }
  const auto hands = behind(organization, executor);
  if ((hands & proposal.build.authors) != 0) return "an author executed it";
  for (const auto& each : proposal.given) {
    // For what does not stand any more too: an approver's hand stays off.
    if (each.policy == before.policy && each.attested == proposal.build.attested &&
        each.decision == Decision::Approve && (hands >> each.person & 1) != 0 &&
        each.tick == before.tick && (agreed(before, proposal) >> each.person & 1) != 0) {
      return "an approver executed it";
    }
  }
  return {};
}

}  // namespace bailey::model_check
