#!/usr/bin/env bash
# Guards against kernels that get slower by and by, without a clock: counts the instructions that each assembly function
# executes in one run of the passes of small random models (BenchmarkSmall of package model), which repeat exactly, and
# compares them with scripts/instructions.txt. One that grew by more than 3 % fails.
#
# usage: scripts/instructions.sh [update]     update writes the numbers of now
# Needs valgrind, and a processor with AVX2: valgrind shows every such processor, of whatever make, as the same one.
set -euo pipefail
cd "$(dirname "$0")/.."
list=scripts/instructions.txt

for feature in avx2 fma f16c; do
	grep -qm1 "^flags.*\b$feature\b" /proc/cpuinfo || { echo "instructions: not on this CPU, which lacks $feature"; exit 0; }
done
command -v valgrind >/dev/null || { echo 'instructions: valgrind is not installed' >&2; exit 1; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

CGO_ENABLED=0 go test -c -o "$tmp/model.test" ./model
cd model
# The signals by which the runtime preempts goroutines end callgrind.
GODEBUG=asyncpreemptoff=1 GOMAXPROCS=1 WHISPER_ISA=avx2 valgrind -q --tool=callgrind --callgrind-out-file="$tmp/counts" \
	"$tmp/model.test" -test.run '^$' -test.bench '^BenchmarkSmall$' -test.benchtime 1x >"$tmp/log" 2>&1 ||
	{ cat "$tmp/log" >&2; exit 1; }
cd ..

# A jump to the first instruction of a function is taken for a call of itself, which has a line of its own. Lines such as
# "1,234 ( 0.5%)  …/kernel/tile_avx2_amd64.s:…/ggml/internal/kernel.tile6AVX2.abi0 [model.test]".
callgrind_annotate --auto=no --threshold=100 "$tmp/counts" |
	sed -nE 's/^ *([0-9,]+) .*_amd64\.s:.*\/ggml\/internal\/kernel\.([A-Za-z0-9_]+).*/\1 \2/p' | tr -d , |
	awk '{ n[$2] += $1 } END { for (f in n) printf "%d %s\n", n[f], f }' | LC_ALL=C sort -k2 >"$tmp/now"
[ -s "$tmp/now" ] || { echo 'instructions: none were counted' >&2; cat "$tmp/log" >&2; exit 1; }

if [ "${1:-}" = update ]; then
	cp "$tmp/now" "$list"
	echo "instructions: wrote $(wc -l <"$list") functions"
	exit
fi
awk -v list="$list" '
	NR == FNR { was[$2] = $1; next }
	{ now[$2] = $1; sum += $1 }
	!($2 in was) { print "instructions: " $2 " is new"; bad = 1; next }
	{ before += was[$2] }
	$1 > was[$2] * 1.03 { printf "instructions: %s grew by %.1f %%, from %d to %d\n", $2, 100 * ($1 / was[$2] - 1), was[$2], $1; bad = 1 }
	END {
		for (f in was) if (!(f in now)) { print "instructions: " f " is not called any more"; bad = 1 }
		if (bad) { print "instructions: if that is meant, make instructions-update and commit " list; exit 1 }
		printf "instructions: %d functions, %.2f %% of those that %s has\n", length(now), 100 * sum / before, list
	}' "$list" "$tmp/now"
