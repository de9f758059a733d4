#!/usr/bin/env python3
"""Logits and greedy tokens of a random Whisper model by Hugging Face's transformers, for checking package model.

usage: transformers_check.py DIRECTORY OUT.json MODEL TOKEN...

DIRECTORY is what synth.WriteTransformers makes: config.json, model.safetensors and the input, mel.safetensors. The tokens are the prompt;
NEW more are decoded, each the likeliest that has not come yet: random models like to repeat themselves. MODEL is kept in OUT as the name of
what was computed. Needs torch and transformers, of the Python package index. `make transformers-check` calls this for every golden file.
"""

import json
import os
import sys

import torch
import transformers
from safetensors.torch import load_file

NEW = 20

# A golden file keeps every STEP-th logit, from the first one on.
STEP = 521


def main():
    directory, out, name, *prompt = sys.argv[1:]
    torch.manual_seed(0)
    load = transformers.WhisperForConditionalGeneration.from_pretrained
    model, info = load(directory, attn_implementation="eager", dtype=torch.float32, output_loading_info=True)
    if info["missing_keys"] or info["unexpected_keys"] or info["mismatched_keys"]:
        sys.exit(f"the file does not hold the model: {info}")
    model.eval()
    mel = load_file(os.path.join(directory, "mel.safetensors"))["mel"].T.unsqueeze(0).contiguous()
    tokens = torch.tensor([[int(t) for t in prompt]])
    gaps = []
    with torch.no_grad():
        encoded = model.get_encoder()(mel)
        for _ in range(NEW):
            logits = model(encoder_outputs=encoded, decoder_input_ids=tokens).logits[0, -1]
            logits[tokens[0]] = -torch.inf
            best = torch.topk(logits, 2)
            gaps.append(float(best.values[0] - best.values[1]))
            tokens = torch.cat([tokens, best.indices[:1].reshape(1, 1)], dim=1)
        logits = model(encoder_outputs=encoded, decoder_input_ids=tokens).logits[0]
    if min(gaps) < 1e-3:
        sys.exit(f"two tokens are as likely, within {min(gaps):.2g}: take another seed")
    with open(out, "w", encoding="utf-8") as f:
        f.write("{\n")
        f.write(f' "model": "{name}",\n')
        f.write(f' "by": "transformers {transformers.__version__}, torch {torch.__version__.split("+")[0]}",\n')
        f.write(f' "tokens": {json.dumps(tokens[0].tolist())},\n')
        f.write(f' "step": {STEP},\n "logits": [\n')
        f.write(",\n".join("  [" + ",".join(f"{x:.5f}" for x in row[::STEP].tolist()) + "]" for row in logits) + "\n ]\n}\n")
    print(f"{out}: {tokens.shape[1]} tokens, the likeliest ahead by {min(gaps):.3f} or more")


main()
