#!/usr/bin/env bash
# Runs the tests of the libraries, and the whole program on a clip of 3 s, on an emulated processor.
# usage: qemu.sh GOARCH QEMU CPU
set -euo pipefail
cd "$(dirname "$0")/.."
arch=${1:?usage: qemu.sh GOARCH QEMU CPU} qemu=$2 cpu=$3
command -v "$qemu" >/dev/null || { echo "$qemu is not installed: it comes with the package qemu-user" >&2; exit 1; }
export GOOS=linux GOARCH=$arch CGO_ENABLED=0

# vet has seen this code for every processor already.
go test -short -vet=off -timeout 20m -exec "$qemu -cpu $cpu" ./audio/... ./ggml/... ./model/...

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
go build -o "$out/whisperfile" ./cmd/whisperfile
"$qemu" -cpu "$cpu" "$out/whisperfile" -f testdata/austen-0880.wav | tee "$out/text"
letters=$(tr A-Z a-z <"$out/text" | sed 's/^\[.*\]//' | tr -cd a-z)
[ "$letters" = hewasnotanilldisposedyoungman ] || { echo "$arch on $cpu hears something else" >&2; exit 1; }
