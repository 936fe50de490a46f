#include "orchestrator/provision/plan/moves.hpp"

#include <algorithm>
#include <optional>

namespace bailey {

namespace {

ResourceAddress within(const std::string& environment, const std::string& local) {
  return ResourceAddress::parse(environment + "/" + local).value_or(ResourceAddress{});
}

std::optional<ResourceAddress> one_step(const std::vector<Move>& moves,
                                        const ResourceAddress& address) {
  const Move* by_name = nullptr;
  for (const auto& move : moves) {
    if (move.from == address.local()) return within(address.environment, move.to);
    if (move.from == address.resource) by_name = &move;
  }
  if (by_name == nullptr) return std::nullopt;
  auto to = within(address.environment, by_name->to);
  // Only one instance can go where one is named.
  if (to.index) return std::nullopt;
  to.index = address.index;
  return to;
}

}  // namespace

ResourceAddress moved_to(const std::vector<Move>& moves, const std::set<ResourceAddress>& declared,
                         ResourceAddress address) {
  const auto from = address;
  for (std::size_t steps = 0; steps < moves.size(); ++steps) {
    auto next = one_step(moves, address);
    if (!next || *next == address) break;
    address = *std::move(next);
  }
  if (address == from || declared.contains(address)) return address;
  auto other = address;
  if (!address.index) {
    other.index = 0;
  } else if (*address.index == 0) {
    other.index.reset();
  }
  return declared.contains(other) ? other : address;
}

}  // namespace bailey
