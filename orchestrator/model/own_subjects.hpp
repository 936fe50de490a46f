#pragma once

#include "orchestrator/model/subject.hpp"

namespace bailey {

/// Who asks for a rollback when a verification fails: Bailey itself. Not a name that a spec can
/// have, and nobody can log in under it.
[[nodiscard]] inline Subject rollback_subject() {
  return {SubjectKind::Service, "@rollback"};
}

}  // namespace bailey
