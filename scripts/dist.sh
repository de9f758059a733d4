#!/usr/bin/env bash
# Packs an archive for each platform: programs, manual pages, completions, README.md, LICENSE, NOTICE and a bill of materials with the
# checksums of the programs. Then writes SHA256SUMS of these archives and of the files for all systems, where those are there.
# The same commit, version and Go make the same bytes.
#
# usage: scripts/dist.sh DIRECTORY [OS/ARCH…]     all of scripts/platforms.txt where none is named
# VERSION names the release, else it is what Go records; SOURCE_DATE_EPOCH the time of all files, else it is the commit's.
set -euo pipefail
cd "$(dirname "$0")/.."
dist=${1:?usage: scripts/dist.sh DIRECTORY [OS/ARCH…]}
shift
[ $# -gt 0 ] || set -- $(<scripts/platforms.txt)
# What is typed after make would reach the makes below as well.
unset MAKEFLAGS MAKEOVERRIDES GOOS GOARCH
export VERSION=${VERSION:-} CGO_ENABLED=0
time=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 1700000000)}
mkdir -p "$dist"
dist=$(cd "$dist" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

sums() { if command -v sha256sum >/dev/null; then sha256sum "$@"; else shasum -a 256 "$@"; fi; }

make -s man DIST="$tmp"
version=${VERSION:-$(go version -m "$tmp/host/whisperfile" | awk '$1 == "mod" { print $3 }')}
[ -n "$version" ] && [ "$version" != '(devel)' ] || version=devel

archives=()
for platform; do
	grep -qx "$platform" scripts/platforms.txt || { echo "dist: no such platform: $platform" >&2; exit 2; }
	os=${platform%/*} arch=${platform#*/} ending=.tar.gz tags=nogpu
	case $os in
	windows) ending=.zip tags= ;;
	darwin) tags= ;; # calling a GPU's driver ties programs to no library there
	esac
	name=whisperfile-$version-$os-$arch
	dir=$tmp/$name
	make -s build GOOS="$os" GOARCH="$arch" TAGS="$tags" BIN="$dir"
	go run ./cmd/internal/provenance/attach -version "$VERSION" -o "$dir/sbom.cdx.json" "$dir"/whisper*
	cp -R README.md LICENSE NOTICE "$tmp/man" "$tmp/completions" "$dir"
	go run ./scripts/archive -time "$time" "$dist/$name$ending" "$dir"
	rm -r "$dir"
	archives+=("$name$ending")
	echo "$dist/$name$ending"
done

cd "$dist"
for fat in whisperfile whisper.tiny.en.llamafile; do
	if [ -f "$fat" ] && [ "$(head -c 6 "$fat")" = MZqFpD ]; then archives+=("$fat"); fi
done
sums "${archives[@]}" | LC_ALL=C sort -k 2 >SHA256SUMS
echo "$dist/SHA256SUMS"
