#include "orchestrator/promote/artifact/registry_schema.hpp"

namespace bailey {

ProviderSchema registry_schema() {
  ProviderSchema schema;
  schema.name = "oci";
  schema.cloud = false;
  schema.account_options = {"/caFile"};
  return schema;
}

}  // namespace bailey
