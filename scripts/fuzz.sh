#!/usr/bin/env bash
# Runs every fuzz target of the module, one after the other. usage: fuzz.sh TIME
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:?usage: fuzz.sh TIME}
grep -rohE --include='*_test.go' '^func Fuzz\w+' . >/dev/null || { echo 'there is no fuzz target' >&2; exit 1; }
grep -roE --include='*_test.go' '^func Fuzz\w+' . | sort | while IFS=: read -r file func; do
	name=${func#func }
	echo "== ${file%/*} $name"
	# Minimising an input that is only new takes most of the time where inputs are large; one try is enough.
	go test -run '^$' -fuzz "^$name\$" -fuzztime "$time" -fuzzminimizetime 1x "${file%/*}" </dev/null
done
