"""What 8-bit weights cost: how likely a model finds code and prose, with its plain weights and with 8 bits.

    python benchmarks/int8.py MODEL... [--texts FILE...] [--tokens 6000]

Prints the mean negative log-likelihood of a token in nats, which no sampling and no machine changes, and appends the
table to the results. How much faster 8 bits are is for decoding.py RUN --against quantization=null.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import mean

from measured import heading, markdown_table

from paper2code_local.engine.sizing import INT8
from paper2code_local.modelstore.folder import model_folder
from paper2code_local.modelstore.store import default_store

TEXTS = (Path(argparse.__file__), Path(__file__).parents[1] / "docs" / "guide.md")
WINDOW = 1200
"""Tokens that are seen at once; the first of them is not scored."""


def main() -> None:
    """Print the table, and append it to the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--texts", nargs="+", type=Path, default=TEXTS)
    parser.add_argument("--tokens", type=int, default=6000, help="of each text (default: %(default)s)")
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results" / "int8.md")
    parser.add_argument("--of", choices=("plain", INT8), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.of:  # an engine in a process of its own: vLLM does not give its memory back
        print(json.dumps(surprise(asked.models[0], asked.of, asked.texts, asked.tokens)))
        return
    rows = []
    for model in asked.models:
        plain, eight = (measured(model, of, asked.texts, asked.tokens) for of in ("plain", INT8))
        for name in plain:
            row = {"model": model, "text": name, "plain": f"{plain[name]:.4f}", "8 bits": f"{eight[name]:.4f}"}
            rows.append(row | {"change": f"{(eight[name] / plain[name] - 1):+.2%}"})
    title = f"mean negative log-likelihood of a token, {asked.tokens} tokens of each text"
    said = heading(title) + markdown_table(rows)
    with asked.results.open("a", encoding="utf-8") as out:
        out.write(said)
    print(said)


def measured(model: str, of: str, texts: list[Path], tokens: int) -> dict[str, float]:
    """Return what `surprise` returns in a process of its own."""
    command = [sys.executable, __file__, model, "--of", of, "--tokens", str(tokens), "--texts", *map(str, texts)]
    environment = os.environ | {
        "VLLM_CPU_NUM_OF_RESERVED_CPU": "0",
        "VLLM_CPU_KVCACHE_SPACE": "2",
        "VLLM_LOGGING_LEVEL": "ERROR",
    }
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    scores: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return scores


def surprise(model: str, of: str, texts: list[Path], tokens: int) -> dict[str, float]:
    """Return the mean negative log-likelihood of the tokens of each text, by the text's name."""
    from vllm import LLM, SamplingParams

    import paper2code_local.engine.int8  # noqa: F401  (registers it)

    more = {} if of == "plain" else {"quantization": of}
    folder = str(model_folder(model, default_store(os.environ)).path)
    llm = LLM(folder, dtype="bfloat16", max_model_len=WINDOW + 128, enforce_eager=True, **more)
    sampling = SamplingParams(max_tokens=1, prompt_logprobs=0)
    scores = {}
    for path in texts:
        ids = llm.get_tokenizer().encode(path.read_text(encoding="utf-8"))[:tokens]
        windows = [{"prompt_token_ids": ids[at : at + WINDOW]} for at in range(0, len(ids), WINDOW)]
        found = []
        for output in llm.generate(windows, sampling, use_tqdm=False):
            scored = zip(output.prompt_token_ids or (), output.prompt_logprobs or (), strict=True)
            found += [-chances[token].logprob for token, chances in scored if chances]
        scores[path.name] = mean(found)
    return scores


if __name__ == "__main__":
    main()
