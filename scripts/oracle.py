#!/usr/bin/env python3
"""The Whisper forward pass in numpy and double precision, for checking package model.

usage: oracle.py MODEL.bin CLIP.wav OUT.golden TOKEN...

MODEL.bin is a ggml file in F32 or F16, CLIP.wav at most 30 s of 16 kHz mono in 16 bit, the tokens are the prompt of the decoder.
OUT.golden is a text header, a blank line, and float32 arrays in little-endian order; model/testdata/oracle/README.md describes it.
Needs numpy. `make oracle` calls this for every golden file.
"""

import hashlib
import math
import os
import struct
import sys
import wave

import numpy as np

# What a golden file keeps: every MEL_STEP-th frame, every ROW_STEP-th encoder position, every ID_STEP-th logit. The steps have no common
# factor with the sizes of tiles, so that all places in a tile are seen.
MEL_STEP, ROW_STEP, ID_STEP = 101, 37, 13

HEADER = "vocab audio_ctx audio_state audio_heads audio_layers text_ctx text_state text_heads text_layers mels ftype".split()


class Model:
    def __init__(self, data):
        self.data, self.at = data, 0
        assert self.ints(1) == (0x67676D6C,), "not a ggml file"
        self.header = dict(zip(HEADER, self.ints(len(HEADER))))
        bands, bins = self.ints(2)
        self.filters = self.floats("<f4", bands * bins).reshape(bands, bins)
        for _ in range(*self.ints(1)):
            self.at += 4 + struct.unpack_from("<i", data, self.at)[0]
        self.tensors = {}
        while self.at < len(data):
            dims, length, kind = self.ints(3)
            shape = self.ints(dims)[::-1]
            name = data[self.at : self.at + length].decode()
            self.at += length
            self.tensors[name] = self.floats({0: "<f4", 1: "<f2"}[kind], math.prod(shape)).reshape(shape)

    def ints(self, n):
        self.at += 4 * n
        return struct.unpack_from(f"<{n}i", self.data, self.at - 4 * n)

    def floats(self, kind, n):
        a = np.frombuffer(self.data, kind, n, self.at)
        self.at += a.nbytes
        return a.astype(np.float64)

    def linear(self, name, x):
        return x @ self.tensors[name + ".weight"].T + self.tensors.get(name + ".bias", 0)

    def norm(self, name, x):
        x = x - x.mean(axis=1, keepdims=True)
        x = x / np.sqrt((x * x).mean(axis=1, keepdims=True) + 1e-5)
        return x * self.tensors[name + ".weight"] + self.tensors[name + ".bias"]

    def conv(self, name, x, stride):
        """Kernel 3, one row of zeros on both sides; x is [time][channels]."""
        padded = np.pad(x, ((1, 1), (0, 0)))
        kernel = self.tensors[name + ".weight"]  # [out][in][3]
        y = sum(padded[i : i + len(x) : stride] @ kernel[:, :, i].T for i in range(3))
        return gelu(y + self.tensors[name + ".bias"].reshape(-1))

    def attention(self, name, x, source, heads, causal=False):
        split = lambda a: a.reshape(len(a), heads, -1).swapaxes(0, 1)
        q = split(self.linear(name + ".query", x))
        k = split(self.linear(name + ".key", source))
        v = split(self.linear(name + ".value", source))
        score = q @ k.swapaxes(1, 2) / math.sqrt(q.shape[2])
        if causal:
            score[:, np.triu(np.ones(score.shape[1:], bool), 1)] = -np.inf
        weight = np.exp(score - score.max(axis=2, keepdims=True))
        mixed = weight @ v / weight.sum(axis=2, keepdims=True)
        return self.linear(name + ".out", mixed.swapaxes(0, 1).reshape(len(x), -1))

    def mlp(self, block, x):
        y = self.norm(block + "mlp_ln", x)
        return self.linear(block + "mlp.2", gelu(self.linear(block + "mlp.0", y)))

    def mel(self, pcm):
        """30 s of log-mel spectrum, [frame][band]."""
        x = np.zeros(480000)
        x[: len(pcm)] = pcm
        x = np.pad(x, 200, mode="reflect")
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
        frames = np.lib.stride_tricks.sliding_window_view(x, 400)[::160][:3000]
        power = np.abs(np.fft.rfft(frames * window)) ** 2
        mel = np.log10(np.maximum(power @ self.filters.T, 1e-10))
        return (np.maximum(mel, mel.max() - 8) + 4) / 4

    def encode(self, mel):
        x = self.conv("encoder.conv1", mel, 1)
        x = self.conv("encoder.conv2", x, 2) + self.tensors["encoder.positional_embedding"]
        for i in range(self.header["audio_layers"]):
            block = f"encoder.blocks.{i}."
            y = self.norm(block + "attn_ln", x)
            x = x + self.attention(block + "attn", y, y, self.header["audio_heads"])
            x = x + self.mlp(block, x)
        return self.norm("encoder.ln_post", x)

    def decode(self, states, tokens):
        embedding = self.tensors["decoder.token_embedding.weight"]
        x = embedding[tokens] + self.tensors["decoder.positional_embedding"][: len(tokens)]
        for i in range(self.header["text_layers"]):
            block, heads = f"decoder.blocks.{i}.", self.header["text_heads"]
            y = self.norm(block + "attn_ln", x)
            x = x + self.attention(block + "attn", y, y, heads, causal=True)
            y = self.norm(block + "cross_attn_ln", x)
            x = x + self.attention(block + "cross_attn", y, states, heads)
            x = x + self.mlp(block, x)
        return self.norm("decoder.ln", x) @ embedding.T


erf = np.vectorize(math.erf, otypes=[np.float64])


def gelu(x):
    return x / 2 * (1 + erf(x / math.sqrt(2)))


def main(model_path, clip, out, *tokens):
    with open(model_path, "rb") as f:
        data = f.read()
    with wave.open(clip) as w:
        assert (w.getframerate(), w.getnchannels(), w.getsampwidth()) == (16000, 1, 2), "want 16 kHz mono in 16 bit"
        pcm = np.frombuffer(w.readframes(480000), "<i2") / 32768
    tokens = [int(t) for t in tokens]
    model = Model(data)
    mel = model.mel(pcm)
    states = model.encode(mel)
    logits = model.decode(states, tokens)

    arrays = {"mel": mel[::MEL_STEP], "encoder": states[::ROW_STEP], "logits": logits[:, ::ID_STEP]}
    steps = {"mel": MEL_STEP, "encoder": ROW_STEP, "logits": ID_STEP}
    header = [
        "model " + hashlib.sha256(data).hexdigest(),
        "clip " + os.path.basename(clip),
        "tokens " + " ".join(map(str, tokens)),
    ]
    header += [f"{name} {a.shape[0]} {a.shape[1]} {steps[name]}" for name, a in arrays.items()]
    with open(out, "wb") as f:
        f.write("\n".join(header).encode() + b"\n\n")
        for a in arrays.values():
            f.write(a.astype("<f4").tobytes())
    print(f"encoder at most {np.abs(states).max():.3f}, logits {logits.min():.2f} to {logits.max():.2f}, std {logits.std():.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
