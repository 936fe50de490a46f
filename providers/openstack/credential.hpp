#pragma once

#include "orchestrator/model/account.hpp"
#include "providers/openstack/session.hpp"

namespace bailey::openstack {

/// How an account logs in: what its credential says (login_options.hpp has the forms), and before
/// that what the account itself says of region, interface and authorities. InvalidArgument for what
/// is missing or unknown; Refused, so that a password goes nowhere else, for an address that
/// differs from the account's endpoint, one where it would cross a network unencrypted, and a wish
/// that certificates are not verified; the failure of reading it for an authority's file.
[[nodiscard]] Result<SessionOptions> session_options(const Account& account,
                                                     const Secret& credential);

}  // namespace bailey::openstack
