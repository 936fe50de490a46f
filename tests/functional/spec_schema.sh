#!/bin/bash
# The JSON Schema that is checked in for editors is the one that this program prints.
set -euo pipefail
bailey=${BAILEY:?}
source_folder=${BAILEY_SOURCE_DIR:?}

if ! diff <("$bailey" schema) "$source_folder/templates/bailey-v1.schema.json"; then
  echo "templates/bailey-v1.schema.json is stale: write it again with" >&2
  echo "    bailey schema > templates/bailey-v1.schema.json" >&2
  exit 1
fi
