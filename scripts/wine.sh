#!/usr/bin/env bash
# Runs the Windows program of a fat file, and the tests of packages that meet the system, under wine.
set -euo pipefail
cd "$(dirname "$0")/.."
for w in wine wine64; do wine=$(command -v $w) && break; done
[ -n "$wine" ] || { echo "wine is not installed: it comes with the packages wine and wine64" >&2; exit 1; }
export WINEPREFIX=${WINEPREFIX:-${XDG_CACHE_HOME:-$HOME/.cache}/whisperfile/wine} WINEDEBUG=-all CGO_ENABLED=0
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# This makes the prefix as well.
CI=true go test "$@" -count=1 -run 'Wine' ./cmd/internal/fat

# wine 8.0 answers a deletion as Go 1.26 asks for it with an error that Go does not expect, so that every temporary directory of a test would be a
# failure. Go's own way for older systems works.
at=internal/syscall/windows/at_windows.go
sed 's/^var TestDeleteatFallback bool$/var TestDeleteatFallback = true/' "$(go env GOROOT)/src/$at" >"$out/at_windows.go"
! cmp -s "$(go env GOROOT)/src/$at" "$out/at_windows.go" || { echo "Go deletes files in another way than this script knows" >&2; exit 1; }
printf '{"Replace": {"%s": "%s"}}' "$(go env GOROOT)/src/$at" "$out/at_windows.go" >"$out/overlay.json"

# What CI asks for are tools, of which wine's side has none.
unset CI
GOOS=windows go test "$@" -short -vet=off -timeout 10m -overlay "$out/overlay.json" -exec "$wine" ./audio ./cmd/internal/... ./ggml/...
