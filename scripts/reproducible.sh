#!/usr/bin/env bash
# Builds this commit twice, in clones at paths of different depth, and fails where the programs or archives are not the same bytes: the second
# time in an empty build cache, on one processor, with another time zone, language and umask. Changes that are not committed do not count.
set -euo pipefail
cd "$(dirname "$0")/.."
git rev-parse HEAD >/dev/null
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# build NAME FOLDER: its sums are in NAME.
build() {
	git clone -q . "$2"
	make -s -C "$2" build dist PLATFORMS='linux/amd64 windows/amd64' >/dev/null
	(cd "$2/dist" && find . -type f ! -name SHA256SUMS | LC_ALL=C sort | xargs sha256sum && cat SHA256SUMS) >"$tmp/$1"
}
build one "$tmp/a"
(
	export GOCACHE=$tmp/cache GOMAXPROCS=1 TZ=Asia/Kathmandu LC_ALL=C.UTF-8
	umask 077
	build two "$tmp/some where/deep/b"
)
cat "$tmp/one"
diff "$tmp/one" "$tmp/two" >&2 || { echo 'reproducible: two builds differ' >&2; exit 1; }
