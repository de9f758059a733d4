#!/usr/bin/env bash
# Runs the tests of the libraries that depend on the processor, and the whole program on a clip of 3 s with each of some rungs, which must
# be there, on an emulated one.
# usage: qemu.sh GOARCH QEMU CPU RUNG…
set -euo pipefail
cd "$(dirname "$0")/.."
arch=${1:?usage: qemu.sh GOARCH QEMU CPU RUNG…} qemu=$2 cpu=$3
shift 3
rungs=$*
command -v "$qemu" >/dev/null || { echo "$qemu is not installed: it comes with the package qemu-user" >&2; exit 1; }
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
export GOOS=linux GOARCH=$arch CGO_ENABLED=0

# vet has seen this code for every processor. Of package model only the numbers are checked, for its other tests hear minutes of sound; larger
# models than tiny.en are looked for where there are none. Their weights are not quantised, so that dotprod would only repeat what neon does.
try() { RUNGS=$rungs WHISPER_MODELS=$out go test -short -vet=off -timeout 20m -exec "$qemu -cpu $cpu" "$@"; }
if [ "$arch" = "$(go env GOHOSTARCH)" ]; then
	# These kernels are tested without an emulator too. Here they show that they need no more than that processor has.
	try ./ggml/internal/... ./audio/...
else
	try ./audio/... ./ggml/... ./model/internal/...
	try -run '^TestOracle$' -skip '/./isa=dotprod' ./model
fi

go build -tags nogpu -o "$out/whisperfile" ./cmd/whisperfile
for rung; do
	WHISPER_ISA=$rung "$qemu" -cpu "$cpu" "$out/whisperfile" -f testdata/austen-0930.wav -nt -bs 1 -nf | tee "$out/text"
	[ "$(tr -cd 'A-Za-z' <"$out/text")" = Hemightevenhavebeenmadeamiablehimself ] || { echo "$rung hears something else" >&2; exit 1; }
done
