#!/usr/bin/env bash
# go vet for every system and processor the programs run on, and a build of the libraries for those they compile for besides.
set -euo pipefail
cd "$(dirname "$0")/.."
export CGO_ENABLED=0
for target in $(<scripts/platforms.txt); do
	echo "vet $target"
	GOOS=${target%/*} GOARCH=${target#*/} go vet ./...
done
for target in js/wasm linux/386 linux/arm; do
	echo "build $target"
	GOOS=${target%/*} GOARCH=${target#*/} go build ./audio/... ./ggml/... ./model/...
done
