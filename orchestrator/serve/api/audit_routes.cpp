#include "orchestrator/serve/api/routes.hpp"
#include "orchestrator/serve/engine/read_audit.hpp"

namespace bailey {

void add_audit_routes(Router& router, Engine& engine) {
  router.add("GET", "/v1/audit/entries", [&engine](const ApiCall& call) -> Result<ApiAnswer> {
    auto from = number_parameter(call, "from", 0);
    if (!from) return fail(std::move(from.error()));
    auto limit = number_parameter(call, "limit", 200);
    if (!limit) return fail(std::move(limit.error()));
    return to_answer(read_entries(engine, call.request, *from, *limit));
  });
  router.add("GET", "/v1/audit/checkpoint", [&engine](const ApiCall& call) -> Result<ApiAnswer> {
    auto from = number_parameter(call, "from", 0);
    if (!from) return fail(std::move(from.error()));
    return to_answer(read_checkpoint(engine, call.request, *from));
  });
}

}  // namespace bailey
