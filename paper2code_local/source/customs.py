"""Names that Python code uses by custom, and the import that gives each.

In: a name. Out: an import line. Must not know what is installed.
"""

from __future__ import annotations

import sys

KNOWN_IMPORTS = {
    "np": "import numpy as np",
    "nn": "from torch import nn",
    "F": "import torch.nn.functional as F",
    "optim": "from torch import optim",
    "Tensor": "from torch import Tensor",
    "pd": "import pandas as pd",
    "plt": "import matplotlib.pyplot as plt",
    "DataLoader": "from torch.utils.data import DataLoader",
    "Dataset": "from torch.utils.data import Dataset",
    "TensorDataset": "from torch.utils.data import TensorDataset",
    "tqdm": "from tqdm import tqdm",
    "Path": "from pathlib import Path",
    "defaultdict": "from collections import defaultdict",
    "Counter": "from collections import Counter",
    "dataclass": "from dataclasses import dataclass",
    "partial": "from functools import partial",
    "AutoTokenizer": "from transformers import AutoTokenizer",
    "AutoModel": "from transformers import AutoModel",
    "AutoModelForCausalLM": "from transformers import AutoModelForCausalLM",
    "load_dataset": "from datasets import load_dataset",
    **{n: f"from typing import {n}" for n in ("Any", "Dict", "List", "Optional", "Tuple", "Union")},
    **{n: f"from collections.abc import {n}" for n in ("Callable", "Iterable", "Iterator", "Mapping", "Sequence")},
    **{n: f"import {n}" for n in ("torch", "numpy", "scipy", "sklearn", "pandas", "transformers", "datasets", "yaml")},
}
"""Name → import."""
KNOWN_PACKAGES = frozenset(line.split()[1].split(".")[0] for line in KNOWN_IMPORTS.values())
"""The packages that these come from."""


def known_import(name: str) -> str | None:
    """Return the import that gives `name` by custom, or None."""
    return KNOWN_IMPORTS.get(name) or (f"import {name}" if name in sys.stdlib_module_names else None)
