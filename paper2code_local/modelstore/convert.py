"""A GGUF becomes a folder in Hugging Face layout with bf16 safetensors, in a process of its own.

In: a GGUF whose digest is right. Out: a folder, and the versions of what made it.
Must not know the catalogue or the store. torch and transformers are imported in that process only: see `main`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from importlib.metadata import version
from pathlib import Path

from paper2code_local.errors import ModelError

_OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}


def convert(gguf: Path, folder: Path) -> dict[str, str]:
    """Convert `gguf` into the new `folder`; return package → version of the converter. Raises ModelError `convert`."""
    command = [sys.executable, "-m", "paper2code_local.modelstore.convert", str(gguf), str(folder)]
    alive, held = os.pipe()  # the converter ends when `held` closes, be it because this process is killed
    try:
        ran = subprocess.run(
            command,
            stdin=alive,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            env={**os.environ, **_OFFLINE},
        )
    finally:
        os.close(alive)
        os.close(held)
    if ran.returncode:
        last = (ran.stderr.strip().splitlines() or [f"the converter ended with {ran.returncode}"])[-1]
        if "ModuleNotFoundError" in last:
            hint = "install the engine, which brings the converter: scripts/setup"
        elif "not supported" in last:
            hint = "take the repository of safetensors that its makers publish, and import that"
        else:
            hint = "converting takes about three times the model's size of memory; free some and try again"
        raise ModelError("convert", f"{gguf.name} cannot be converted: {last}", hint)
    versions: dict[str, str] = json.loads(ran.stdout.splitlines()[-1])
    return versions


def main(gguf: Path, folder: Path) -> dict[str, str]:
    """Dequantize, write weights, configuration, tokenizer and chat template; this is where torch is imported."""
    import torch
    import transformers

    model = transformers.AutoModelForCausalLM.from_pretrained(
        gguf.parent,
        gguf_file=gguf.name,
        quantization_config=transformers.GgufConfig(dequantize=True),
        dtype=torch.bfloat16,
    )
    # What is written is plain bf16: a quantization left in the configuration would make the engine look for a GGUF.
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(folder)
    transformers.AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name).save_pretrained(folder)
    return {package: version(package) for package in ("accelerate", "gguf", "torch", "transformers")}


def _end_with_parent() -> None:
    os.read(0, 1)
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]))) + "\n")
