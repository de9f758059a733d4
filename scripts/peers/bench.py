"""How fast this project is beside whisper.cpp, ONNX Runtime, OpenVINO and faster-whisper, as Markdown tables.

usage: scripts/peers/run.sh bench.py [--pairs 5] [--threads 2] [--models base,base-q8_0,base-q5_0] [--clips A.wav,B.wav] [--only PART,...]

Both sides run in turn on the same file, the one that goes first changing from pair to pair, and the ratio of a row is the median
of the pairs' ratios. Before each pair the machine's own peak is measured: the floor is the least time that it allows for the
work, at the float32 peak or at the speed at which weights, keys and values can be read. Encoding is always that of a full window
of 1,500 positions, with the keys and values of cross attention. whisper.cpp multiplies every row of a prompt with the vocabulary;
we and the floor do so with the last one. A row holds where it reaches the wanted ratio or the wanted share of the floor, and is
never slower than the peer. PART is one of passes, runs, faster, encoder, memory, start, threads.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import wave

from common import BIN, HERE, PEERS, ROOT, Peer, Quiet, header, machine, model_path, peak, say, seconds

BITS = {
    "f16": 16, "q8_0": 8.5, "q5_1": 6, "q5_0": 5.5, "q4_1": 5, "q4_0": 4.5,
    "q6_k": 6.5625, "q5_k": 5.5, "q4_k": 4.5, "q3_k": 3.4375, "q2_k": 2.625,
}  # fmt: skip
WORK = {
    "encode": "encoder", "one": "step, 1 row", "five": "step, 5 rows", "prompt": "prompt of 256 rows",
    "run1": "whole run, greedy", "run5": "whole run, 5 beams",
}  # fmt: skip
WANTED = {"encode": (4, 0.85), "one": (3, 0.80), "five": (3, 0.80), "prompt": (4, 0.70), "run1": (4, 0.65), "run5": (4, 0.65)}
MB = 1e6

quiet = Quiet()
short = []  # rows that do not hold


def kind(name):
    return "q" + name.split("-q")[1] if "-q" in name else "f16"


def wanted(name, work):
    """The ratio, and the share of the floor: where weights are multiplied in integers, that of float32 is no floor."""
    ratio, share = WANTED[work]
    if work == "encode" and kind(name) != "f16":
        share = 1.0 if kind(name) == "q8_0" else 1.25
    return ratio, share


def floors(name, measured):
    """The least seconds that each kind of work takes at the measured peak."""
    gflops, gbps = measured
    h, n = header(model_path(name)), 1500
    d, layers, mels = h["audio_state"], h["text_layers"], h["mels"]
    convolutions = 2 * (2 * n * mels * 3 * d + n * d * 3 * d)
    encode = convolutions + h["audio_layers"] * (24 * d * d * n + 4 * n * n * d) + layers * 4 * d * d * n
    vocabulary = h["vocab"] * d
    weights = 14 * d * d * layers + vocabulary  # that a step multiplies with
    row = 2 * weights + layers * 4 * d * n
    step = (weights * BITS[kind(name)] / 8 + 4 * n * d * layers) / gbps
    return {
        "encode": encode / gflops / 1e9,
        "one": step / 1e9,
        "five": max(step, 5 * row / gflops) / 1e9,
        "prompt": (256 * row - 255 * 2 * vocabulary) / gflops / 1e9,  # ranked behind the last row alone
    }


def program(name, *arguments, cpus=None, **options):
    """Runs a program of ours, on those CPUs alone if any are given."""
    pin = (lambda: os.sched_setaffinity(0, cpus)) if cpus else None
    run = subprocess.run([os.path.join(BIN, name), *map(str, arguments)], capture_output=True, text=True, preexec_fn=pin, **options)
    if run.returncode:
        raise SystemExit(f"{name} {' '.join(map(str, arguments))}: {run.stderr.strip()[-300:]}")
    return run


def our_passes(path, threads, cpus=None):
    """ms of each pass. Lines are for a token; a step of five rows has five, a prompt 256."""
    out, ms = program("whisper-bench", "-m", path, "-t", threads, cpus=cpus).stderr, {}
    for line, work, tokens in (("encode", "encode", 1), ("decode", "one", 1), ("batchd", "five", 5), ("prompt", "prompt", 256)):
        ms[work] = tokens * float(re.search(rf"{line} time = .*\( *([\d.]+) ms per run\)", out)[1])
    return ms


def arguments_of_run(path, clip, beam, threads):
    return ["-m", path, "-f", clip, "-l", "en", "-t", threads, "-bs", beam, "-bo", beam, "-nf", "-np"]


def our_run(path, clip, beam, threads):
    start = time.perf_counter()
    program("whisper", *arguments_of_run(path, clip, beam, threads))
    return time.perf_counter() - start


def tokens_of(path, clip, threads):
    """How many tokens are decoded, by what is said of each of them."""
    with tempfile.TemporaryDirectory() as tmp:
        program("whisper", *arguments_of_run(path, clip, 1, threads), "-ojf", "-of", tmp + "/out")
        with open(tmp + "/out.json", encoding="utf-8") as f:
            return sum(len(s["tokens"]) for s in json.load(f)["transcription"])


def has_beams(threads):
    clip = os.path.join(ROOT, "testdata", "austen-0880.wav")
    run = subprocess.run(
        [os.path.join(BIN, "whisper"), *map(str, arguments_of_run(model_path("tiny.en"), clip, 5, threads))], capture_output=True
    )
    return run.returncode != 2


def in_turn(pairs, ours, theirs):
    """Times of both sides, pair by pair, and the peak measured before each."""
    for i in range(pairs):
        quiet.wait()
        measured = peak(options.threads)
        if i % 2:
            a = ours()
            yield measured, a, theirs()
        else:
            b = theirs()
            yield measured, ours(), b


def judge(name, ratio, holds, line):
    if not holds:
        short.append(name)
    print(line + (" holds |" if holds else " **falls short** |"), flush=True)


def row(name, work, ours, theirs, shares, note=""):
    """A line of the main table, of times in seconds."""
    ratio, share = statistics.median(t / o for o, t in zip(ours, theirs)), statistics.median(shares)
    want, floor = wanted(name, work)
    unit = lambda x: f"{x:.2f} s" if work.startswith("run") else f"{1000 * x:.4g} ms"
    line = f"| {name} | {WORK[work]}{note} | {unit(statistics.median(theirs))} | {unit(statistics.median(ours))} |"
    line += f" {ratio:.2f} | {100 * share:.0f} % | {want} or {100 * floor:.0f} % |"
    judge(f"{name} {work}", ratio, ratio >= 1 and (ratio >= want or share >= floor), line)


def main_table():
    print("| model | work | whisper.cpp | here | times as fast | of the floor | wanted | |\n|---|---|---|---|---|---|---|---|")
    peer, beams, peaks = Peer(), has_beams(options.threads), []
    for name in options.models:
        path = model_path(name)
        peer("open", model=path, threads=options.threads)
        if "passes" in options.only:
            seen = {w: ([], [], []) for w in ("encode", "one", "five", "prompt")}
            for measured, a, b in in_turn(options.pairs, lambda: our_passes(path, options.threads), lambda: peer("passes")):
                peaks.append(measured)
                least = floors(name, measured)
                for w, (ours, theirs, shares) in seen.items():
                    ours.append(a[w] / 1000)
                    theirs.append(b[w] / 1000)
                    shares.append(least[w] / ours[-1])
            for w, columns in seen.items():
                row(name, w, *columns)
        if "runs" in options.only:
            for clip in options.clips:
                tokens, windows = tokens_of(path, clip, options.threads), 1 + int(seconds(clip) // 29)
                for beam in (1, 5) if beams else (1,):
                    ours, theirs, shares = [], [], []
                    sides = lambda: our_run(path, clip, beam, options.threads), lambda: peer("hear", clip=clip, beam=beam)["seconds"]
                    for measured, a, b in in_turn(options.pairs, *sides):
                        least = floors(name, measured)
                        ours.append(a)
                        theirs.append(b)
                        shares.append((windows * least["encode"] + tokens * least["one" if beam == 1 else "five"]) / a)
                    row(name, f"run{beam}", ours, theirs, shares, f", {os.path.basename(clip)[:-4]}")
    peer.close()
    print("\nA whole run of ours starts the program and opens the model; whisper.cpp has it open already.")
    if not beams:
        print("Whole runs are greedy: there are no beams yet.")
    if peaks:
        gflops, gbps = zip(*peaks)
        print(f"Peak: {min(gflops):.0f} to {max(gflops):.0f} GFLOP/s in float32, {min(gbps):.1f} to {max(gbps):.1f} GB/s read.")


def faster_table():
    print("\n| model | work | faster-whisper | here | times as fast | wanted | |\n|---|---|---|---|---|---|---|")
    peer, beams = Peer(), has_beams(options.threads)
    for theirs_in, name, want in (("int8", "base-q8_0", 2), ("float32", "base", 1)):
        peer("open_faster", model=os.path.join(PEERS, "ct2", "base"), type=theirs_in, threads=options.threads)
        path = model_path(name)
        for clip in options.clips:
            for beam in (1, 5) if beams else (1,):
                sides = lambda: our_run(path, clip, beam, options.threads), lambda: peer("hear_faster", clip=clip, beam=beam)["seconds"]
                pairs = [(a, b) for _, a, b in in_turn(options.pairs, *sides)]
                ratio, a, b = (statistics.median(x) for x in ([b / a for a, b in pairs], *zip(*pairs)))
                line = f"| {name} | {WORK[f'run{beam}']}, {os.path.basename(clip)[:-4]} | {b:.2f} s, {theirs_in} | {a:.2f} s | {ratio:.2f} | {want} |"
                judge(f"{name} faster-whisper", ratio, ratio >= want, line)
    peer.close()


def encoder_rows():
    graph = os.path.join(PEERS, "encoder-base.onnx")
    path = model_path("base")
    if not os.path.exists(graph):
        from encoder import build
        import onnx

        onnx.save(build(path), graph)
    for engine, title in (("onnxruntime", "ONNX Runtime"), ("openvino", "OpenVINO")):
        peer = Peer()
        peer("open_graph", graph=graph, engine=engine, threads=options.threads)
        ours, theirs = [], []
        for _, a, b in in_turn(
            options.pairs, lambda: our_passes(path, options.threads)["encode"], lambda: min(peer("run_graph")["ms"] for _ in range(2))
        ):
            ours.append(a)
            theirs.append(b)
        peer.close()
        ratio = statistics.median(a / b for a, b in zip(ours, theirs))
        found = f"{statistics.median(ours):.0f} against {statistics.median(theirs):.0f} ms: {ratio:.2f} ×"
        judge(engine, ratio, ratio <= 1.05, f"| base, encoder beside {title} in float32 | {found} | at most 1.05 × |")


PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def memory_rows():
    clip = os.path.join(ROOT, "testdata", "austen-0870.wav")
    for name in options.models:
        path = model_path(name)
        h = header(path)
        run = [os.path.join(BIN, "whisper"), *map(str, arguments_of_run(path, clip, 1, options.threads))]
        # What a process had before exec counts as its own, so a small one of Python starts it: this one holds the peers.
        child = subprocess.run([sys.executable, "-c", PEAK, *run], stdout=subprocess.PIPE, text=True, check=True)
        most, file = int(child.stdout) * 1024, os.path.getsize(path)
        cached = 2 * 2 * h["text_layers"] * h["text_state"] * (h["audio_ctx"] + h["text_ctx"])
        room = file + cached + 60 * MB
        found = f"{most / MB:.0f} MB"
        line = f"| {name}, memory of a whole run | {found} | at most {file / MB:.0f} + {cached / MB:.0f} + 60 = {room / MB:.0f} MB |"
        judge(f"{name} memory", most / room, most <= room, line)


def start_rows():
    """A program's whole life on a clip of one second: all of its tokens, and so a little more than is asked for."""
    source = os.path.join(ROOT, "testdata", "austen-0880.wav")
    with tempfile.TemporaryDirectory() as tmp:
        clip = os.path.join(tmp, "second.wav")
        with wave.open(source) as a, wave.open(clip, "wb") as b:
            b.setparams(a.getparams())
            b.writeframes(a.readframes(16000))
        for name in options.models:
            path = model_path(name)
            tokens = tokens_of(path, clip, options.threads)
            starts, ratios = [], []
            for i in range(options.pairs):
                quiet.wait()
                passes = our_passes(path, options.threads)
                starts.append(1000 * our_run(path, clip, 1, options.threads) - (tokens - 1) * passes["one"])
                ratios.append(starts[-1] / passes["encode"])
            found = f"{statistics.median(starts):.0f} ms: {statistics.median(ratios):.2f} × one encode"
            line = f"| {name}, start of the program to the first token of a 1 s clip, page cache warm | {found} | at most 1.2 × |"
            judge(f"{name} start", 0, statistics.median(ratios) <= 1.2, line)


def threads_rows():
    cpus = set(sorted(os.sched_getaffinity(0))[:2])
    path, ratios = model_path("base"), {"encode": [], "one": []}
    for i in range(options.pairs):
        quiet.wait()
        few, many = (our_passes(path, t, cpus) for t in (2, 8))
        for w, r in ratios.items():
            r.append(many[w] / few[w])
    for w, r in ratios.items():
        m = statistics.median(r)
        judge(f"threads {w}", m, m <= 1.1, f"| base, {WORK[w]}, 8 threads asked for on 2 CPUs | {m:.2f} × the time of 2 | at most 1.10 × |")


def joined(path):
    """All clips of testdata one after the other, a second of silence between them: nearly a full window."""
    clips = sorted(f for f in os.listdir(os.path.join(ROOT, "testdata")) if f.endswith(".wav"))
    with wave.open(path, "wb") as out:
        out.setparams((1, 2, 16000, 0, "NONE", ""))
        for c in clips:
            with wave.open(os.path.join(ROOT, "testdata", c)) as w:
                out.writeframes(w.readframes(w.getnframes()) + bytes(2 * 16000))
    return path


ROWS = {"encoder": encoder_rows, "memory": memory_rows, "start": start_rows, "threads": threads_rows}
PARTS = ["passes", "runs", "faster", *ROWS]


def main():
    print(f"{machine()}; {options.threads} threads, {options.pairs} pairs, medians.\n")
    if {"passes", "runs"} & set(options.only):
        main_table()
    if "faster" in options.only:
        faster_table()
    rows = [f for part, f in ROWS.items() if part in options.only]
    if rows:
        print("\n| what | found | wanted | |\n|---|---|---|---|")
        for f in rows:
            f()
    print(f"\n{quiet.verdict()}" if quiet.waits else "")
    say("falls short: " + ", ".join(short) if short else "all rows hold")
    return 1 if short else 0


if __name__ == "__main__":
    split = lambda s: [x for x in s.split(",") if x]
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--pairs", type=int, default=5)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--models", type=split, default=["base", "base-q8_0", "base-q5_0"])
    p.add_argument("--clips", type=split, default=None)
    p.add_argument("--only", type=split, default=PARTS)
    options = p.parse_args()
    if options.clips is None:
        options.clips = [os.path.join(ROOT, "testdata", "austen-0870.wav"), joined(os.path.join(PEERS, "austen-all.wav"))]
    raise SystemExit(main())
