"""Whisper's encoder as an ONNX graph in float32, made from the weights of a ggml file in half or single precision, for
engines that do not read ggml's layout.

usage: encoder.py MODEL.bin OUT.onnx

The graph takes a window of log-mel, [1][mels][2·positions], and gives the keys and values of the decoder's cross attention for
each of its layers, [positions][state]: the work that this project counts as encoding. GELU is the exact one.
"""

import math
import struct
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HEADER = "vocab audio_ctx audio_state audio_heads audio_layers text_ctx text_state text_heads text_layers mels ftype".split()


def read(path):
    """A ggml file's header and tensors."""
    with open(path, "rb") as f:
        data = f.read()
    at = 0

    def ints(n):
        nonlocal at
        at += 4 * n
        return struct.unpack_from(f"<{n}i", data, at - 4 * n)

    assert ints(1) == (0x67676D6C,), f"{path} is not a ggml file"
    h = dict(zip(HEADER, ints(len(HEADER))))
    bands, bins = ints(2)
    at += 4 * bands * bins
    for _ in range(*ints(1)):
        (length,) = ints(1)
        at += length
    tensors = {}
    while at < len(data):
        dims, length, kind = ints(3)
        shape = ints(dims)[::-1]
        name = data[at : at + length].decode()
        at += length
        a = np.frombuffer(data, {0: "<f4", 1: "<f2"}[kind], math.prod(shape), at).reshape(shape)
        at += a.nbytes
        tensors[name] = a
    return h, tensors


class Graph:
    """Nodes and constants as they are added; a value is its name."""

    def __init__(self, tensors):
        self.tensors, self.nodes, self.constants = tensors, [], []

    def add(self, op, *inputs, **attributes):
        out = f"{op}{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [out], **attributes))
        return out

    def constant(self, array):
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def weight(self, name, shape=lambda a: a):
        return self.constant(shape(self.tensors[name]).astype(np.float32))

    def linear(self, x, name):
        y = self.add("MatMul", x, self.weight(name + ".weight", np.transpose))
        return self.add("Add", y, self.weight(name + ".bias")) if name + ".bias" in self.tensors else y

    def norm(self, x, name):
        return self.add("LayerNormalization", x, self.weight(name + ".weight"), self.weight(name + ".bias"), epsilon=1e-5)

    def conv(self, x, name, stride):
        w, b = self.weight(name + ".weight"), self.weight(name + ".bias", np.ravel)
        return self.add("Gelu", self.add("Conv", x, w, b, kernel_shape=[3], pads=[1, 1], strides=[stride]))

    def attention(self, x, name, heads, rows, state):
        split = self.constant(np.array([1, rows, heads, state // heads], np.int64))
        join = self.constant(np.array([1, rows, state], np.int64))

        def part(which, order):
            return self.add("Transpose", self.add("Reshape", self.linear(x, f"{name}.{which}"), split), perm=order)

        q, k, v = part("query", [0, 2, 1, 3]), part("key", [0, 2, 3, 1]), part("value", [0, 2, 1, 3])
        scale = self.constant(np.array(1 / math.sqrt(state // heads), np.float32))
        scores = self.add("Mul", self.add("MatMul", q, k), scale)
        mixed = self.add("MatMul", self.add("Softmax", scores, axis=-1), v)
        return self.linear(self.add("Reshape", self.add("Transpose", mixed, perm=[0, 2, 1, 3]), join), name + ".out")


def build(path):
    h, tensors = read(path)
    n, d = h["audio_ctx"], h["audio_state"]
    g = Graph(tensors)
    x = g.conv(g.conv("mel", "encoder.conv1", 1), "encoder.conv2", 2)
    x = g.add("Add", g.add("Transpose", x, perm=[0, 2, 1]), g.weight("encoder.positional_embedding"))
    for i in range(h["audio_layers"]):
        block = f"encoder.blocks.{i}."
        y = g.norm(x, block + "attn_ln")
        x = g.add("Add", x, g.attention(y, block + "attn", h["audio_heads"], n, d))
        y = g.add("Gelu", g.linear(g.norm(x, block + "mlp_ln"), block + "mlp.0"))
        x = g.add("Add", x, g.linear(y, block + "mlp.2"))
    x = g.norm(x, "encoder.ln_post")
    crosses = [f"decoder.blocks.{i}.cross_attn." for i in range(h["text_layers"])]
    outputs = [g.linear(x, c + part) for c in crosses for part in ("key", "value")]

    value = lambda name, *shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    graph = helper.make_graph(
        g.nodes, "encoder", [value("mel", 1, h["mels"], 2 * n)], [value(o, 1, n, d) for o in outputs], g.constants
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


if __name__ == "__main__":
    onnx.save(build(sys.argv[1]), sys.argv[2])
