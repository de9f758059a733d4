"""Word errors of this project beside whisper.cpp's, for each type of file, with products in whole numbers and in float32.

usage: scripts/peers/run.sh wer.py [--models tiny.en,base] [--types f16,q8_0,...] [--isa avx2,...] [--beam 5] [--seeds 3] [--threads 1]

Clips with a known text are those of testdata, whose texts are in its README.md, and NAME.wav with the text NAME.txt of the directory
that $WER_CLIPS names, if there is one. Each is heard as it is, 20 dB quieter, played at 0.9 and 1.1 times its speed, and with white and
with pink noise 20, 10 and 5 dB below it, of as many SEEDS each. The variants depend on the clip, the variant's name and the seed alone.

All decode greedily, or with as many beams, at temperature 0 only. Words are compared in lower case, without punctuation and remarks
in brackets. Of a variant no more errors count than it has words: a decoder that runs in circles would outweigh all the others.
An interval says where 95 % of 10,000 differences lie that were drawn from the variants with replacement, both programs' errors of a
variant together. --isa names sets of instructions in place of the fastest; the plain one, generic, takes minutes a clip.
whisper.cpp runs at the same time, with as many threads; its texts are kept beside the peers, so that a run that was cut off
goes on where it was, and only what changed is heard again.
The exit code is 1 where a way to compute that is the default makes more errors than whisper.cpp on the same file.
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import tempfile
import wave
import zlib
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import numpy as np

from common import BIN, PEERS, ROOT, Peer, header, machine, model_path, rungs, takes

TYPES = ["f16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "q6_k", "q5_k", "q4_k", "q3_k", "q2_k"]
FLOAT = ["--precision", "float"]
RATE = 16000


def words(text):
    text = re.sub(r"\[[^\]]*\]|\([^)]*\)", " ", text.lower().replace("’", "'").replace("-", " "))
    return ["mister" if w == "mr" else w for w in re.findall(r"[a-z0-9']+", text)]


def distance(want, got):
    """Words that are to be replaced, added or taken away to make one of the other."""
    row = list(range(len(got) + 1))
    for i, w in enumerate(want, 1):
        diagonal, row[0] = row[0], i
        for j, g in enumerate(got, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (w != g))
    return row[-1]


def errors(want, text):
    return min(len(want), distance(want, words(text)))


def clips():
    """Paths and what is said in them."""
    known = {}
    folder = os.path.join(ROOT, "testdata")
    with open(os.path.join(folder, "README.md"), encoding="utf-8") as f:
        for name, text in re.findall(r"^\| (\S+\.wav) \|[^|]*\| (.*?) \|$", f.read(), re.M):
            known[os.path.join(folder, name)] = words(text)
    more = os.environ.get("WER_CLIPS")
    for name in sorted(os.listdir(more)) if more else []:
        text = os.path.join(more, name[:-4] + ".txt")
        if name.endswith(".wav") and os.path.exists(text):
            with open(text, encoding="utf-8") as f:
                known[os.path.join(more, name)] = words(f.read())
    return known


def noise(x, decibels, pink, seed):
    """x and noise that has as many decibels less power."""
    # The stream of this old generator is the same in every version of numpy.
    n = np.random.RandomState(seed).standard_normal(len(x))
    if pink:
        spectrum = np.fft.rfft(n)
        n = np.fft.irfft(spectrum / np.sqrt(np.maximum(1, np.arange(len(spectrum)))), len(x))
    return x + n * np.sqrt(np.mean(x**2) / np.mean(n**2) / 10 ** (decibels / 10))


def faster(x, speed):
    """x played faster: its spectrum, cut or filled with zeros, over the new length."""
    n = round(len(x) / speed)
    return np.fft.irfft(np.fft.rfft(x)[: n // 2 + 1], n) * (n / len(x))


def variants(name, x):
    """Names of the kinds of change and what they make of the samples x."""
    yield "as it is", x
    yield "20 dB quieter", x / 10
    for speed in 0.9, 1.1:
        yield f"{speed} times the speed", faster(x, speed)
    for decibels in 20, 10, 5:
        for colour in "white", "pink":
            for seed in range(options.seeds):
                kind = f"{colour} noise, {decibels} dB"
                yield kind, noise(x, decibels, colour == "pink", zlib.crc32(f"{name}, {kind}, {seed}".encode()))


def write(path, x):
    with wave.open(path, "wb") as w:
        w.setparams((1, 2, RATE, 0, "NONE", None))
        w.writeframes(np.clip(np.rint(x * 32768), -32768, 32767).astype("<i2").tobytes())


def read(path):
    with wave.open(path) as w:
        if (w.getframerate(), w.getnchannels(), w.getsampwidth()) != (RATE, 1, 2):
            raise SystemExit(f"{path}: want 16 kHz mono in 16 bit")
        return np.frombuffer(w.readframes(w.getnframes()), "<i2") / 32768


def make(tmp):
    """The variants of all clips: path, what is said, kind of change."""
    made = []
    for clip, want in clips().items():
        for kind, x in variants(os.path.basename(clip), read(clip)):
            path = os.path.join(tmp, f"{len(made)}.wav")
            write(path, x)
            made.append((path, want, kind))
    return made


def digest(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()[:16]


def ours(model, made, isa, extra):
    """Errors in each variant."""
    with tempfile.TemporaryDirectory() as tmp:
        command = [os.path.join(BIN, "whisper"), "-m", model, "-l", "en", "-t", str(options.threads)]
        command += ["-bs", str(options.beam), "-bo", "1", "-nf", "-np", "-otxt"]
        for i, (path, _, _) in enumerate(made):
            command += ["-f", path, "-of", os.path.join(tmp, str(i))]
        run = subprocess.run(command + extra, capture_output=True, text=True, env=dict(os.environ, WHISPER_ISA=isa))
        if run.returncode:
            raise SystemExit(f"whisper with {os.path.basename(model)} on {isa}: {run.stderr.strip()[-300:]}")
        found = []
        for i, (_, want, _) in enumerate(made):
            with open(os.path.join(tmp, f"{i}.txt"), encoding="utf-8") as f:
                found.append(errors(want, f.read()))
        return np.array(found)


class Theirs:
    """whisper.cpp, and what it has heard before."""

    def __init__(self):
        self.path = os.path.join(PEERS, "wer.json")
        self.peer, self.heard = Peer(), {}
        if os.path.exists(self.path):
            with open(self.path, encoding="utf-8") as f:
                self.heard = json.load(f)

    def errors(self, model, made):
        """Errors in each variant."""
        found, opened, name = [], False, digest(model)
        for path, want, _ in made:
            key = f"{name} {digest(path)} {options.beam}"
            if key not in self.heard:
                if not opened:
                    self.peer("open", model=model, threads=options.threads)
                    opened = True
                self.heard[key] = self.peer("hear", clip=path, beam=options.beam)["text"]
                self.save()
            found.append(errors(want, self.heard[key]))
        return np.array(found)

    def save(self):
        with open(self.path + ".new", "w", encoding="utf-8") as f:
            json.dump(self.heard, f)
        os.replace(self.path + ".new", self.path)


def interval(a, b):
    """The difference of two sums over the same variants, and where it would lie in 95 % of other choices of them."""
    d = a - b
    sums = d[np.random.RandomState(1).randint(len(d), size=(10000, len(d)))].sum(axis=1)
    low, high = np.percentile(sums, [2.5, 97.5])
    return f"{d.sum():+d} ({low:+.0f} to {high:+.0f})".replace("-", "−")


def main():
    isas = options.isa or rungs()[-1:]
    exact = [FLOAT] if takes("whisper", "precision") else []
    theirs, beside, worse, by_kind = Theirs(), ThreadPoolExecutor(1), [], {}
    with tempfile.TemporaryDirectory() as tmp:
        made = make(tmp)
        total = sum(len(want) for _, want, _ in made)
        how = f"{options.beam} beams" if options.beam > 1 else "greedy"
        print(f"{date.today()}, {machine()}. Errors in {total} words of {len(made)} variants of {len(clips())} clips, {how}.\n")
        columns = ["model", "type", "whisper.cpp"]
        for isa in isas:
            columns += [isa, "less whisper.cpp's"]
            if exact:
                columns += [f"{isa}, float", "whole numbers less float"]
        print("| " + " | ".join(columns) + " |\n" + "|---" * len(columns) + "|", flush=True)
        for model in options.models:
            for kind in options.types:
                # K types need rows of a multiple of 256.
                if kind.endswith("_k") and header(model_path(model))["audio_state"] % 256:
                    continue
                path = model_path(model if kind == "f16" else f"{model}-{kind}")
                waiting = beside.submit(theirs.errors, path, made)
                found = [[ours(path, made, isa, extra) for extra in [[]] + (exact if kind != "f16" else [])] for isa in isas]
                peer = waiting.result()
                row = [model, kind, str(peer.sum())]
                for isa, way in zip(isas, found):
                    row += [str(way[0].sum()), interval(way[0], peer)]
                    if exact:
                        row += [str(way[1].sum()), interval(way[0], way[1])] if len(way) > 1 else ["", ""]
                    if way[0].sum() > peer.sum():
                        worse.append(f"{model} {kind} on {isa}: {interval(way[0], peer)}")
                print("| " + " | ".join(row) + " |", flush=True)
                for i, (_, want, change) in enumerate(made):
                    counts = [len(want), peer[i], found[0][0][i], found[0][-1][i]]
                    by_kind[change] = np.add(by_kind.get(change, 0), counts)
    theirs.peer.close()
    print("\nMore errors than whisper.cpp: " + ("; ".join(worse) if worse else "nowhere") + ".")
    print(f"\nThe same by kind of change, in % of the words, on {isas[0]}:\n\n| change | whisper.cpp | whole numbers | float |\n|---|---|---|---|")
    for change, (n, *counts) in by_kind.items():
        print(f"| {change} | " + " | ".join(f"{100 * c / n:.1f}" for c in counts) + " |")
    return 1 if worse else 0


if __name__ == "__main__":
    split = lambda s: [x for x in s.split(",") if x]
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--models", type=split, default=["tiny.en", "base"])
    p.add_argument("--types", type=split, default=TYPES)
    p.add_argument("--isa", type=split, default=None)
    p.add_argument("--beam", type=int, default=1)
    p.add_argument("--seeds", type=int, default=3)
    p.add_argument("--threads", type=int, default=1)
    options = p.parse_args()
    raise SystemExit(main())
