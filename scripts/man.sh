#!/bin/sh
# Writes manual pages and completions of all programs into DIST/man and DIST/completions; --pdf: typesets the pages for paper as
# well. Usage: man.sh DIST PROGRAM [--pdf], where PROGRAM is a whisperfile that runs here.
set -eu
dist=$1 program=$2 pdf=${3-}
programs='whisper whisper-bench whisper-quantize whisper-server whisperfile zipalign assimilate'
mkdir -p "$dist/man" "$dist/completions/bash" "$dist/completions/zsh" "$dist/completions/fish"

# generate NAME WHAT FILE: a file is there whole or not at all.
generate() {
	if [ "$1" = whisperfile ]; then
		"$program" --generate "$2" >"$3.new"
	else
		"$program" "$1" --generate "$2" >"$3.new"
	fi
	mv -f "$3.new" "$3"
}

for name in $programs; do
	generate "$name" man "$dist/man/$name.1"
	generate "$name" bash "$dist/completions/bash/$name"
	generate "$name" zsh "$dist/completions/zsh/_$name"
	generate "$name" fish "$dist/completions/fish/$name.fish"
	if [ "$pdf" = --pdf ]; then
		groff -ww -man -Tpdf "$dist/man/$name.1" >"$dist/man/$name.pdf.new"
		mv -f "$dist/man/$name.pdf.new" "$dist/man/$name.pdf"
	fi
done
