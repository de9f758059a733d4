"""Word errors of this project beside whisper.cpp's, for each type of file, set of instructions and kind of product.

usage: scripts/peers/run.sh wer.py [--models tiny.en,base] [--types f16,q8_0,...] [--isa avx2,...] [--threads 1]

Every clip with a known text is transcribed greedily: those of testdata, whose texts are in its README.md, and NAME.wav with the
text NAME.txt of the directory that $WER_CLIPS names, if there is one. Words are compared in lower case, without punctuation. The
plain rung (generic) takes minutes a file and is left out unless --isa names it. whisper.cpp runs at the same time, with as many threads. The exit code is 1 where a way to compute
that is the default makes more errors than whisper.cpp on the same file.
"""

import argparse
import os
import re
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

from common import BIN, ROOT, Peer, header, machine, model_path, rungs, takes

TYPES = ["f16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "q6_k", "q5_k", "q4_k", "q3_k", "q2_k"]
FLOAT = ["--precision", "float"]


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


def ours(path, known, isa, extra):
    """Errors of one run over all clips."""
    with tempfile.TemporaryDirectory() as tmp:
        command = [os.path.join(BIN, "whisper"), "-m", path, "-l", "en", "-t", str(options.threads), "-bs", "1", "-bo", "1", "-nf", "-np", "-otxt"]
        for i, clip in enumerate(known):
            command += ["-f", clip, "-of", os.path.join(tmp, str(i))]
        run = subprocess.run(command + extra, capture_output=True, text=True, env=dict(os.environ, WHISPER_ISA=isa))
        if run.returncode:
            raise SystemExit(f"whisper with {os.path.basename(path)} on {isa}: {run.stderr.strip()[-300:]}")
        errors = 0
        for i, want in enumerate(known.values()):
            with open(os.path.join(tmp, f"{i}.txt"), encoding="utf-8") as f:
                errors += distance(want, words(f.read()))
        return errors


def heard(peer, known):
    """Errors of whisper.cpp."""
    return sum(distance(want, words(peer("hear", clip=clip, beam=1)["text"])) for clip, want in known.items())


def main():
    known = clips()
    total = sum(map(len, known.values()))
    isas = options.isa or [r for r in rungs() if r != "generic"]
    ways = [(isa, extra) for isa in isas for extra in ([[], FLOAT] if takes("whisper", "precision") else [[]])]
    print(f"{machine()}. Errors in {total} words of {len(known)} clips, greedy.\n")
    print("| model | type | whisper.cpp | " + " | ".join(isa + (", float32" if extra else "") for isa, extra in ways) + " |")
    print("|---|---|---|" + "---|" * len(ways))
    peer, beside, worse = Peer(), ThreadPoolExecutor(1), []
    for model in options.models:
        for kind in options.types:
            # K types need rows of a multiple of 256.
            if kind.endswith("_k") and header(model_path(model))["audio_state"] % 256:
                continue
            path = model_path(model if kind == "f16" else f"{model}-{kind}")
            peer("open", model=path, threads=options.threads)
            theirs = beside.submit(heard, peer, known)
            found = [ours(path, known, isa, extra) if kind != "f16" or not extra else "" for isa, extra in ways]
            print(f"| {model} | {kind} | {theirs.result()} | " + " | ".join(map(str, found)) + " |", flush=True)
            for (isa, extra), n in zip(ways, found):
                if not extra and n > theirs.result():
                    worse.append(f"{model} {kind} on {isa}: {n}, whisper.cpp {theirs.result()}")
    peer.close()
    print("\nMore errors than whisper.cpp: " + ("; ".join(worse) if worse else "nowhere") + ".")
    return 1 if worse else 0


if __name__ == "__main__":
    split = lambda s: [x for x in s.split(",") if x]
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--models", type=split, default=["tiny.en", "base"])
    p.add_argument("--types", type=split, default=TYPES)
    p.add_argument("--isa", type=split, default=None)
    p.add_argument("--threads", type=int, default=1)
    options = p.parse_args()
    raise SystemExit(main())
