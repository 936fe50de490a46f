#pragma once

#include "orchestrator/base/json.hpp"
#include "orchestrator/serve/api/router.hpp"
#include "orchestrator/serve/engine/engine.hpp"
#include "orchestrator/serve/engine/worker.hpp"

namespace bailey {

void add_session_routes(Router& router, Engine& engine);
void add_bundle_routes(Router& router, Engine& engine, Worker& worker);
void add_change_routes(Router& router, Engine& engine, Worker& worker);
void add_environment_routes(Router& router, Engine& engine, Worker& worker);
void add_grant_routes(Router& router, Engine& engine, Worker& worker);
void add_audit_routes(Router& router, Engine& engine);

/// The value as an answer, or the failure as it is.
[[nodiscard]] Result<ApiAnswer> to_answer(Result<Json> value, int status = 200);
/// 204, or the failure.
[[nodiscard]] Result<ApiAnswer> to_answer(Status status);

/// A required text member of the body; InvalidArgument naming it.
[[nodiscard]] Result<std::string> required(const ApiCall& call, std::string_view name);
/// `{name: text}`; InvalidArgument naming the member when it is anything else.
[[nodiscard]] Result<std::map<std::string, std::string>> required_texts(const ApiCall& call,
                                                                        std::string_view name);
/// A whole number of a query parameter, or `otherwise`; InvalidArgument when it is none.
[[nodiscard]] Result<std::uint64_t> number_parameter(const ApiCall& call, std::string_view name,
                                                     std::uint64_t otherwise);

}  // namespace bailey
