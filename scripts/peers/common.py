"""What the scripts of this directory share: where things lie, the programs of this checkout, the machine's state."""

import json
import os
import re
import struct
import subprocess
import sys
import time
import wave

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PEERS = os.environ["WHISPER_PEERS"]  # run.sh sets it
BIN = os.path.join(ROOT, "dist", "native")


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def models_dir():
    first = os.environ.get("WHISPER_MODELS", "").split(os.pathsep)[0]
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return first or os.path.join(cache, "whisperfile", "models")


def model_path(name):
    """The file of "base" or "base-q5_0"; quantised ones are made where they are missing."""
    plain, _, kind = name.partition("-q")
    source = os.path.join(models_dir(), f"ggml-{plain}.bin")
    if not kind:
        return source
    path = os.path.join(PEERS, f"ggml-{name}.bin")
    if not os.path.exists(path) or os.path.getmtime(path) < os.path.getmtime(source):
        run = subprocess.run([os.path.join(BIN, "whisper-quantize"), source, path, "q" + kind], capture_output=True, text=True)
        if run.returncode:
            raise SystemExit(f"whisper-quantize {name}: {run.stderr.strip()}")
    return path


def header(path):
    """The sizes in a model file."""
    names = "magic vocab audio_ctx audio_state audio_heads audio_layers text_ctx text_state text_heads text_layers mels ftype"
    with open(path, "rb") as f:
        return dict(zip(names.split(), struct.unpack("<12i", f.read(48))))


class Peer:
    """An engine of somebody else that stays loaded, in a process of its own; see peer.py."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "peer.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __call__(self, do, **arguments):
        self.process.stdin.write(json.dumps(dict(arguments, do=do)) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"error": "it ended"}
        if "error" in answer:
            raise SystemExit(f"peer, {do}: {answer['error']}")
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def busy(seconds=0.4):
    """The share of all CPUs that is in use."""

    def ticks():
        with open("/proc/stat") as f:
            t = [int(x) for x in f.readline().split()[1:9]]
        return sum(t), t[3] + t[4]

    all0, idle0 = ticks()
    time.sleep(seconds)
    all1, idle1 = ticks()
    return 1 - (idle1 - idle0) / max(1, all1 - all0)


class Quiet:
    """Waits for an idle machine before a measurement, and remembers whether it had to go without."""

    LIMIT, PATIENCE = 0.05, 60

    def __init__(self):
        self.worst, self.waits = 0.0, 0

    def wait(self):
        for _ in range(self.PATIENCE):
            b = busy()
            if b <= self.LIMIT:
                break
            time.sleep(0.6)
        self.worst, self.waits = max(self.worst, b), self.waits + 1

    def verdict(self):
        if self.worst <= self.LIMIT:
            return f"At least {100 * (1 - self.worst):.0f} % of the machine was idle before each of {self.waits} measurements."
        return f"**Not to be relied on: others used up to {100 * self.worst:.0f} % of the machine before a measurement.**"


def peak(threads):
    """GFLOP/s in float32 and GB/s read, right now."""
    out = subprocess.run([os.path.join(PEERS, "peak"), str(threads)], capture_output=True, text=True, check=True).stdout
    return tuple(float(x) for x in out.split())


def machine():
    """The processor and the system in one line."""
    cpu, cores = "processor", os.cpu_count()
    with open("/proc/cpuinfo") as f:
        info = f.read()
    if m := re.search(r"^model name\s*: (.*)$", info, re.M):
        family = re.search(r"^cpu family\s*: (\d+)$", info, re.M)
        number = re.search(r"^model\s*: (\d+)$", info, re.M)
        cpu = f"{m[1]} (family {family[1]}, model {number[1]})"
    return f"{cpu}, {cores} CPUs, Linux {os.uname().release}"


def rungs():
    """The names that WHISPER_ISA may have on this CPU, the slowest first: the program lists them when it knows a name not."""
    env = dict(os.environ, WHISPER_ISA="?")
    clip = os.path.join(ROOT, "testdata", "austen-0880.wav")
    run = subprocess.run([os.path.join(BIN, "whisper"), "-m", model_path("tiny.en"), "-f", clip], capture_output=True, text=True, env=env)
    names = re.search(r"there is (.*)", run.stderr)
    if not names:
        raise SystemExit(f"whisper does not list its instruction sets: {run.stderr.strip()}")
    return re.findall(r"[a-z0-9]+", names[1])


def takes(program, flag):
    """Whether a program of ours knows a flag."""
    text = subprocess.run([os.path.join(BIN, program), "--help"], capture_output=True, text=True).stdout
    return re.search(rf"--{flag}\b", text) is not None


def seconds(path):
    with wave.open(path) as w:
        return w.getnframes() / w.getframerate()
