#pragma once

#include "orchestrator/base/strong_id.hpp"

namespace bailey {

/// Immutable identity of an environment: a name that is destroyed and declared again gets a new
/// one, so no approval, credential or marker of the old carries over.
using EnvironmentUid = StrongId<struct EnvironmentUidTag>;
using ChangeId = StrongId<struct ChangeIdTag>;
using ApprovalId = StrongId<struct ApprovalIdTag>;
using CredentialId = StrongId<struct CredentialIdTag>;
using LeaseId = StrongId<struct LeaseIdTag>;

}  // namespace bailey
