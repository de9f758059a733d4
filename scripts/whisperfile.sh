#!/usr/bin/env bash
# Makes the executables for all systems: whisperfile without a model and whisper.tiny.en.llamafile with one.
# The same commit, version and Go make the same bytes.
#
# usage: scripts/whisperfile.sh DIRECTORY     VERSION names the release, else it is what Go records
set -euo pipefail
cd "$(dirname "$0")/.."
dist=${1:?usage: scripts/whisperfile.sh DIRECTORY}
unset MAKEFLAGS MAKEOVERRIDES GOOS GOARCH
export CGO_ENABLED=0
mkdir -p "$dist"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# The builds of all systems together must stay small. Functions are put into others only where sound and numbers are made: elsewhere
# it costs a tenth of the size and brings no speed. HTTP/2, which only TLS would use, is left out.
module=github.com/whisperfile/whisperfile
vcs=$(git rev-parse HEAD >/dev/null 2>&1 && echo true || echo false)
version=${VERSION:+-X $module/cmd/internal/cli.version=$VERSION}
build() {
	local name=$1 tags=$2 platform=${1%-gpu} more=${3:-}
	platform=${platform%.exe}
	GOOS=${platform%-*} GOARCH=${platform#*-} go build -trimpath -buildvcs="$vcs" -tags "noweights urfave_cli_no_docs nethttpomithttp2${tags:+ $tags}" -ldflags "-s -w${version:+ $version}${more:+ $more}" \
		-gcflags=all=-l -gcflags="$module/...=" -gcflags="$module/cmd/...=-l" -o "$tmp/$name" ./cmd/whisperfile
}
build linux-amd64 nogpu
build linux-amd64-gpu ''
build linux-arm64 nogpu
build linux-arm64-gpu '' '-T 0x411000' # leaves assimilate room for its own header below
build darwin-amd64 ''
build darwin-arm64 ''
build freebsd-amd64 nogpu
build freebsd-arm64 nogpu
build netbsd-amd64 nogpu
build openbsd-amd64 nogpu
build windows-amd64.exe ''

pack() {
	local out=$1
	shift
	go run ./cmd/internal/fat/mkfat -o "$dist/$out" -builds "$tmp" -version "${VERSION:-}" "$@"
	ls -l "$dist/$out"
}
pack whisperfile
pack whisper.tiny.en.llamafile model/tinyen/*.bin

