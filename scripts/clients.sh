#!/usr/bin/env bash
# Tries whisper-server with OpenAI's own clients for Python and Node, which are installed into whisperfile/clients of the user's
# cache directory. Without python3 or node, or where the clients cannot be installed, it says so and goes on; with CI=true that
# is a failure.
#
# usage: scripts/clients.sh WHISPERFILE      the program with the weights inside
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=$(realpath "$1")
cd "$here/.."
cache=${XDG_CACHE_HOME:-$HOME/.cache}/whisperfile/clients
mkdir -p "$cache"
tmp=$(mktemp -d)
servers=()
trap 'kill "${servers[@]}" 2>/dev/null; wait; rm -rf "$tmp"' EXIT
failed=0

# missing LANGUAGE WHY: its client is not tried.
missing() {
	if [ "${CI:-}" = true ]; then
		echo "--- FAIL: $1: $2"
		failed=1
	else
		echo "--- SKIP: $1: $2"
	fi
}

# serve NAME FLAG...: starts a server, whose address goes into the variable of that name.
serve() {
	local name=$1 url=
	shift
	"$program" whisper-server --port 0 --log-level off "$@" >"$tmp/$name" &
	servers+=($!)
	for _ in $(seq 200); do
		url=$(sed -n 's/^whisper server listening at //p' "$tmp/$name")
		[ -z "$url" ] || break
		kill -0 $! || exit 1
		sleep 0.05
	done
	[ -n "$url" ] || { echo 'the server does not start' >&2; exit 1; }
	printf -v "$name" %s "$url"
}

# example LANGUAGE: the code of docs/server.md in it, with the address of the server that runs.
example() {
	awk -v fence='```' -v language="$1" '$0 == fence language { p = 1; next } index($0, fence) == 1 { p = 0 } p' docs/server.md |
		sed "s#http://127\.0\.0\.1:8080#$open/ears#g"
}

# documented NAME COMMAND…: whether an example works.
documented() {
	if "${@:2}" >"$tmp/example" 2>&1; then
		echo "--- PASS: $1/docs"
	else
		cat "$tmp/example"
		echo "--- FAIL: $1/docs"
		failed=1
	fi
}

python() {
	command -v python3 >/dev/null || { missing python 'there is no python3'; return; }
	cmp -s "$here/clients/python/requirements.txt" "$cache/python/installed" || {
		rm -rf "$cache/python"
		python3 -m venv "$cache/python" &&
			"$cache/python/bin/pip" install -q --disable-pip-version-check -r "$here/clients/python/requirements.txt" &&
			cp "$here/clients/python/requirements.txt" "$cache/python/installed"
	} || { missing python 'its client cannot be installed'; return; }
	"$cache/python/bin/python" -W ignore::DeprecationWarning "$here/clients/python/client.py" "$@" || failed=1
	example python >"$tmp/example.py"
	documented python "$cache/python/bin/python" "$tmp/example.py"
}

node_() {
	command -v node >/dev/null && command -v npm >/dev/null || { missing node 'there is no node with npm'; return; }
	cmp -s "$here/clients/node/package.json" "$cache/node/installed" || {
		rm -rf "$cache/node"
		mkdir "$cache/node" && cp "$here/clients/node/package.json" "$cache/node/" &&
			(cd "$cache/node" && npm install --silent --no-audit --no-fund --no-package-lock) &&
			cp "$here/clients/node/package.json" "$cache/node/installed"
	} || { missing node 'its client cannot be installed'; return; }
	# Modules are found beside the script that imports them.
	cp "$here/clients/node/client.mjs" "$cache/node/"
	node "$cache/node/client.mjs" "$@" || failed=1
	example js >"$cache/node/example.mjs"
	documented node node "$cache/node/example.mjs"
}

echo sesame >"$tmp/keys"
serve open --request-path /ears
serve guarded --api-key-file "$tmp/keys" --parallel 1 --queue 0 --request-timeout 8s --threads 1
if command -v curl >/dev/null; then
	example sh | sed 's/^curl /&-sS --fail-with-body /' >"$tmp/example.sh"
	documented curl bash -ex "$tmp/example.sh"
else
	missing curl 'there is no curl'
fi
python "$open/ears/v1" "$guarded/v1" testdata
node_ "$open/ears/v1" "$guarded/v1" testdata
exit $failed
