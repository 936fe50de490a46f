#include "orchestrator/provision/apply/settle.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/provision/plan/differ.hpp"

#include <algorithm>
#include <set>

namespace bailey {

namespace {

constexpr int kAttempts = 3;
constexpr std::chrono::milliseconds kFirstPause{250};
constexpr std::chrono::milliseconds kLongestPause{4000};

ActResult done(std::optional<Observed> observed = {}) {
  ActResult result;
  result.ending = Ending::Done;
  result.observed = std::move(observed);
  return result;
}

/// What the other side asks for, and at least `pause`.
std::chrono::milliseconds pause_after(const Error& error, std::chrono::milliseconds pause) {
  return std::max(pause, error.retry_after().value_or(pause));
}

ActResult ended(Ending ending, Error error) {
  ActResult result;
  result.ending = ending;
  result.error = std::move(error);
  return result;
}

}  // namespace

bool is_lost_answer(const Error& error) {
  return error.retryable() || error.kind() == ErrorKind::Protocol;
}

ResourceRequest Settler::request_of(const Intent& intent) const {
  return {intent.type, intent.marker, boundary_, intent.inputs, Earlier::Perhaps};
}

std::chrono::seconds Settler::grace_of(const std::string& type) const {
  const auto found = schema_.resource_types.find(type);
  return found == schema_.resource_types.end() ? ResourceTypeSchema{}.visibility_grace
                                               : found->second.visibility_grace;
}

Result<std::optional<Observed>> Settler::look_up(const Intent& intent, WallTime sure_at) {
  auto pause = kFirstPause;
  int failures = 0;
  for (;;) {
    auto wait = pause;
    const auto looked_at = clock_.wall_now();
    auto found = provider_.find(intent.type, boundary_, intent.marker, call_stop_);
    if (!found) {
      if (!found.error().retryable() || ++failures == kAttempts) {
        return fail(std::move(found.error()).in("looking up " + intent.marker.str()));
      }
      wait = pause_after(found.error(), pause);
    } else if (!found->empty()) {
      std::sort(found->begin(), found->end(), [](const Observed& left, const Observed& right) {
        return std::pair(!left.complete, left.provider_id) <
               std::pair(!right.complete, right.provider_id);
      });
      for (std::size_t i = 1; i < found->size(); ++i) {
        if (auto ours = lease_.confirm(); !ours) return fail(std::move(ours.error()));
        auto removed =
            provider_.remove(intent.type, boundary_, (*found)[i].provider_id, call_stop_);
        if (!removed) {
          return fail(std::move(removed.error()).in("removing a second " + intent.marker.str()));
        }
      }
      return std::optional(std::move(found->front()));
    } else if (looked_at >= sure_at) {
      return std::optional<Observed>();
    }
    if (!clock_.sleep_for(wait, wait_stop_)) {
      return fail(Error(ErrorKind::Cancelled, "stopped while waiting for it to show")
                      .in("looking up " + intent.marker.str()));
    }
    pause = std::min(2 * pause, kLongestPause);
  }
}

/// After a refusal: create() may have made a part before it was refused.
ActResult Settler::take_away(const Intent& intent, Error refusal) {
  auto found = look_up(intent, clock_.wall_now());
  if (!found) return ended(Ending::Unknown, std::move(refusal));
  if (!*found) return ended(Ending::NotDone, std::move(refusal));
  auto removed = remove(intent.type, (*found)->provider_id);
  if (removed.ending == Ending::Done) return ended(Ending::NotDone, std::move(refusal));
  auto result = ended(Ending::Unknown, std::move(refusal));
  result.left_behind = (*found)->provider_id;
  return result;
}

ActResult Settler::create(const Intent& intent, Earlier earlier) {
  auto request = request_of(intent);
  request.earlier = earlier;
  for (int attempt = 1;; ++attempt) {
    if (auto ours = lease_.confirm(); !ours) return ended(Ending::Unknown, std::move(ours.error()));
    auto made = provider_.create(request, call_stop_);
    // It may have been made as late as this.
    const auto ended_at = clock_.wall_now();
    if (made) return done(*std::move(made));
    if (made.error().kind() == ErrorKind::Cancelled) {
      return ended(Ending::Unknown, std::move(made.error()));
    }
    // "Not found" is said of what was made and does not show yet: no refusal, and no proof.
    const bool unsure = is_lost_answer(made.error()) || made.error().kind() == ErrorKind::NotFound;
    if (!unsure) return take_away(intent, std::move(made.error()));

    // Whoever comes next, here or in a later step, comes after that.
    if (const auto after = made.error().retry_after();
        after && !clock_.sleep_for(*after, wait_stop_)) {
      return ended(Ending::Unknown, std::move(made.error()));
    }
    auto found = look_up(intent, ended_at + grace_of(intent.type));
    if (!found) return ended(Ending::Unknown, std::move(found.error()));
    if (*found && (*found)->complete) return done(**std::move(found));
    request.earlier = Earlier::Perhaps;
    if (attempt == kAttempts) {
      return *found ? take_away(intent, std::move(made.error()))
                    : ended(Ending::NotDone, std::move(made.error()));
    }
  }
}

ActResult Settler::update(const Intent& intent) {
  const auto request = request_of(intent);
  for (int attempt = 1;; ++attempt) {
    if (auto ours = lease_.confirm(); !ours) return ended(Ending::Unknown, std::move(ours.error()));
    auto updated = provider_.update(request, intent.provider_id, intent.before, call_stop_);
    if (updated) return done(*std::move(updated));
    if (updated.error().kind() == ErrorKind::Cancelled) {
      return ended(Ending::Unknown, std::move(updated.error()));
    }
    auto shown = read(intent.type, intent.provider_id);
    if (!shown) return ended(Ending::Unknown, std::move(updated.error()));
    const bool lost = is_lost_answer(updated.error());
    const auto schema = schema_.resource_types.find(intent.type);
    if (*shown && lost && schema != schema_.resource_types.end() &&
        update_arrived(schema->second, intent, **shown)) {
      return done(**std::move(shown));
    }
    if (!*shown || !lost || attempt == kAttempts) {
      auto result = ended(Ending::NotDone, std::move(updated.error()));
      result.observed = *std::move(shown);
      return result;
    }
    if (!clock_.sleep_for(pause_after(updated.error(), kFirstPause), wait_stop_)) {
      return ended(Ending::Unknown, std::move(updated.error()));
    }
  }
}

ActResult Settler::remove(const std::string& type, const std::string& provider_id) {
  for (int attempt = 1;; ++attempt) {
    if (auto ours = lease_.confirm(); !ours) return ended(Ending::Unknown, std::move(ours.error()));
    auto removed = provider_.remove(type, boundary_, provider_id, call_stop_);
    if (removed || removed.error().kind() == ErrorKind::NotFound) return done();
    if (removed.error().kind() == ErrorKind::Cancelled) {
      return ended(Ending::Unknown, std::move(removed.error()));
    }
    if (!is_lost_answer(removed.error())) {
      return ended(Ending::NotDone, std::move(removed.error()));
    }
    // Asked again rather than looked at: what is not shown may only be hidden, and to remove it
    // again does no harm.
    const bool waited = clock_.sleep_for(pause_after(removed.error(), kFirstPause), wait_stop_);
    if (waited && attempt < kAttempts) continue;
    const auto shown = read(type, provider_id);
    return ended(shown && *shown ? Ending::NotDone : Ending::Unknown, std::move(removed.error()));
  }
}

ActResult Settler::find_made(const Intent& intent) {
  // Not since the intent: of several attempts the last one may have been long after it.
  auto found = look_up(intent, began_ + grace_of(intent.type));
  if (!found) return ended(Ending::Unknown, std::move(found.error()));
  if (!*found) {
    return ended(Ending::NotDone, Error(ErrorKind::NotFound, "nothing bears the marker"));
  }
  if ((*found)->complete) return done(**std::move(found));
  return create(intent);
}

Result<std::optional<Observed>> Settler::read(const std::string& type,
                                              const std::string& provider_id) {
  for (int attempt = 1;; ++attempt) {
    auto shown = provider_.read(type, boundary_, provider_id, call_stop_);
    if (shown || !shown.error().retryable() || attempt == kAttempts ||
        !clock_.sleep_for(pause_after(shown.error(), kFirstPause), wait_stop_)) {
      return shown;
    }
  }
}

bool update_arrived(const ResourceTypeSchema& schema, const Intent& intent,
                    const Observed& observed) {
  for (const auto& field : diff_fields(schema, intent.inputs, intent.before, Json()).fields) {
    const auto name = field.path.substr(0, field.path.find('.'));
    if (!observed.inputs.contains(name)) return false;
  }
  // Only what the update was about: something else may have drifted meanwhile.
  std::set<std::string> wrong;
  for (auto& field : diff_fields(schema, intent.inputs, intent.inputs, observed.inputs).fields) {
    wrong.insert(std::move(field.path));
  }
  const auto meant = diff_fields(schema, intent.inputs, intent.before, Json()).fields;
  return std::none_of(meant.begin(), meant.end(),
                      [&](const FieldDifference& field) { return wrong.contains(field.path); });
}

ResourceState after_unsure_update(ResourceState state, const Intent& intent,
                                  const std::optional<Observed>& observed) {
  std::set<std::string> names;
  for (const auto* inputs : {&intent.inputs, &intent.before}) {
    for (const auto& [name, value] : inputs->items()) names.insert(name);
  }
  for (const auto& name : names) {
    if (member(intent.inputs, name) == member(intent.before, name)) continue;
    // What was to go stays recorded: then the next plan takes it away again.
    if (!intent.inputs.contains(name)) continue;
    if (observed && observed->inputs.contains(name)) {
      state.inputs[name] = intent.inputs[name];
    } else {
      state.inputs[name] = nullptr;
    }
  }
  return state;
}

}  // namespace bailey
