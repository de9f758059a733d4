#!/usr/bin/env bash
# Emits the generated files anew and fails where that changes one or makes one that was not there.
set -euo pipefail
cd "$(dirname "$0")/.."
sums() { { grep -rlE --include='*.s' --include='*.go' --include='*.h' '^// Code generated .* DO NOT EDIT\.$' . && echo NOTICE; } | sort | xargs sha256sum; }
before=$(sums)
go generate ./...
diff <(echo "$before") <(sums) >&2 || { echo 'generated files were not current: commit what make generate has changed' >&2; exit 1; }
