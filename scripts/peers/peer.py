"""Engines of others, for measurements in turn with ours: one JSON object a line on standard input, an answer a line on
standard output. Each stays loaded until another one is opened.

  {"do": "open", "model": FILE, "threads": N}         whisper.cpp
  {"do": "passes"}                                    ms of the passes of its own benchmark; see passes
  {"do": "hear", "clip": FILE, "beam": 5}             seconds, and the text; no second try at higher temperatures
  {"do": "open_faster", "model": DIR, "type": "int8", "threads": N}     faster-whisper, for hear_faster
  {"do": "hear_faster", "clip": FILE, "beam": 5}
  {"do": "open_graph", "graph": FILE.onnx, "engine": "onnxruntime" or "openvino", "threads": N}
  {"do": "run_graph"}                                 ms of one run over a silent window
"""

import ctypes
import json
import os
import sys
import sysconfig
import time
import wave

import numpy as np

PROMPT, SINGLES, BATCH, BATCHES, PROMPTS = 256, 256, 5, 64, 16
state = {}


def clock(f):
    start = time.perf_counter()
    result = f()
    return time.perf_counter() - start, result


def samples(path):
    with wave.open(path) as w:
        assert (w.getframerate(), w.getnchannels(), w.getsampwidth()) == (16000, 1, 2), f"{path}: want 16 kHz mono in 16 bit"
        return np.frombuffer(w.readframes(w.getnframes()), "<i2").astype(np.float32) / 32768


def open_model(model, threads):
    state.clear()
    state.update(model=model, threads=threads, heard={})
    return {}


def context():
    """whisper.cpp without its Python layer, which does not offer single passes."""
    if "context" not in state:
        lib = ctypes.CDLL(os.path.join(sysconfig.get_path("platlib"), "libwhisper.so"))
        lib.whisper_init_from_file.restype = ctypes.c_void_p
        lib.whisper_model_n_mels.argtypes = [ctypes.c_void_p]
        lib.whisper_set_mel.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_int]
        lib.whisper_encode.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]
        lib.whisper_decode.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_int]
        c = lib.whisper_init_from_file(state["model"].encode())
        assert c, "the model does not load"
        assert lib.whisper_set_mel(c, None, 0, lib.whisper_model_n_mels(c)) == 0
        state.update(context=c, lib=lib)
    return state["context"], state["lib"]


def passes():
    """ms of one encode of a silent window, of a step of one row as the context grows to 256, of a step of five rows, and of a
    prompt of 256 rows."""
    c, lib = context()
    tokens = (ctypes.c_int32 * PROMPT)()

    def encode():
        assert lib.whisper_encode(c, 0, state["threads"]) == 0

    def decode(rows, past):
        assert lib.whisper_decode(c, tokens, rows, past, state["threads"]) == 0

    if "warm" not in state:
        encode()
        decode(PROMPT, 0)
        decode(1, 0)
        decode(BATCH, 0)
        state["warm"] = True
    work = {
        "encode": (1, encode),
        "one": (SINGLES, lambda: [decode(1, i) for i in range(SINGLES)]),
        "five": (BATCHES, lambda: [decode(BATCH, 0) for _ in range(BATCHES)]),
        "prompt": (PROMPTS, lambda: [decode(PROMPT, 0) for _ in range(PROMPTS)]),
    }
    return {name: 1000 * clock(f)[0] / n for name, (n, f) in work.items()}


def hear(clip, beam):
    if beam not in state["heard"]:
        from pywhispercpp.model import Model

        state["heard"][beam] = Model(
            state["model"], n_threads=state["threads"], params_sampling_strategy=int(beam > 1), redirect_whispercpp_logs_to=None
        )
    search = {"beam_search": {"beam_size": beam, "patience": -1.0}} if beam > 1 else {"greedy": {"best_of": 1}}
    x = samples(clip)
    options = dict(search, language="en", print_progress=False, print_realtime=False, temperature_inc=0.0)
    spent, segments = clock(lambda: state["heard"][beam].transcribe(x, **options))
    return {"seconds": spent, "text": " ".join(s.text for s in segments)}


def open_faster(model, type, threads):
    from faster_whisper import WhisperModel

    state.clear()
    state["faster"] = WhisperModel(model, device="cpu", compute_type=type, cpu_threads=threads)
    return {}


def hear_faster(clip, beam):
    x = samples(clip)
    spent, text = clock(
        lambda: " ".join(s.text for s in state["faster"].transcribe(x, beam_size=beam, language="en", temperature=0.0)[0])
    )
    return {"seconds": spent, "text": text}


def open_graph(graph, engine, threads):
    state.clear()
    if engine == "openvino":
        import openvino as ov

        settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
        model = ov.Core().compile_model(graph, "CPU", settings)
        mel = np.zeros(tuple(model.inputs[0].shape), np.float32)
        request = model.create_infer_request()
        state["graph"] = lambda: request.infer([mel])
    else:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        mel = np.zeros(session.get_inputs()[0].shape, np.float32)
        state["graph"] = lambda: session.run(None, {session.get_inputs()[0].name: mel})
    state["graph"]()
    return {}


def run_graph():
    return {"ms": 1000 * clock(state["graph"])[0]}


actions = dict(
    open=open_model,
    passes=passes,
    hear=hear,
    open_faster=open_faster,
    hear_faster=hear_faster,
    open_graph=open_graph,
    run_graph=run_graph,
)


def main():
    # The engines print; nothing of it may come between the answers.
    out = os.fdopen(os.dup(1), "w")
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer = actions[command.pop("do")](**command)
        except Exception as e:
            answer = {"error": repr(e)}
        print(json.dumps(answer), file=out, flush=True)


main()
