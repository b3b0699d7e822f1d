"""requirements.txt: the packages that the code really imports.

In: the repository's Python files. Out: distributions, sorted. Must not know the plan: what was planned and is not
imported is not needed, what was not planned and is imported is.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from paper2code_local.source import outline

RENAMED: Mapping[str, str] = {
    "absl": "absl-py",
    "attr": "attrs",
    "Bio": "biopython",
    "bs4": "beautifulsoup4",
    "community": "python-louvain",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "faiss": "faiss-cpu",
    "flash_attn": "flash-attn",
    "google": "protobuf",
    "huggingface_hub": "huggingface-hub",
    "hydra": "hydra-core",
    "Levenshtein": "python-Levenshtein",
    "mpl_toolkits": "matplotlib",
    "ot": "POT",
    "PIL": "Pillow",
    "pkg_resources": "setuptools",
    "pyro": "pyro-ppl",
    "pytorch_lightning": "pytorch-lightning",
    "rouge_score": "rouge-score",
    "sentence_transformers": "sentence-transformers",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "torch_geometric": "torch-geometric",
    "umap": "umap-learn",
    "yaml": "PyYAML",
}
"""Import name → distribution, where they differ."""
SAME_NAME = frozenset(
    """
    accelerate albumentations bitsandbytes botorch click cvxpy datasets dgl diffusers editdistance einops
    evaluate fire flax ftfy gensim gpytorch gym gymnasium h5py imageio jax jaxlib jiwer joblib keras kornia
    librosa lightgbm lightning matplotlib ml_collections networkx nltk numba numpy omegaconf openai optax optuna
    pandas peft plotly polars psutil pyarrow pycocotools pydantic pytest ray rdkit regex requests rich sacrebleu
    safetensors scipy seaborn sentencepiece setuptools soundfile spacy statsmodels sympy tabulate tensorboard
    tensorboardX tensorflow tiktoken timm tokenizers torch torchaudio torchdiffeq torchmetrics torchtext
    torchvision tqdm transformers typing_extensions wandb webdataset xgboost zarr
    """.split()  # noqa: SIM905 (eighty quoted lines would say no more)
)
"""Import names that are known to be the distribution's name too."""


@dataclass(frozen=True)
class Requirement:
    """One distribution. `known` is False where we take the import's name for the distribution's, unchecked."""

    distribution: str
    known: bool


def requirements(files: Mapping[str, str]) -> tuple[Requirement, ...]:
    """Return what `files` (path → text) import that is neither in the standard library nor in `files`.

    PyYAML is always there: main.py reads config.yaml. No versions: none was tested.
    """
    local = {path.split("/")[0].removesuffix(".py") for path in files}
    imports = (i for text in files.values() for i in outline(text).imports)
    roots = {i.module.split(".")[0] for i in imports if i.level == 0 and not i.for_types}
    outside = {root for root in roots - local - sys.stdlib_module_names if root.isascii() and root.isidentifier()}
    found = {RENAMED.get(root, root): root in RENAMED or root in SAME_NAME for root in outside} | {"PyYAML": True}
    return tuple(Requirement(name, found[name]) for name in sorted(found, key=lambda name: (name.lower(), name)))
