"""The detailed specification of one file: what analysis adds to the plan before code is written."""

from __future__ import annotations

from paper2code_local.artifacts.frozen import Frozen
from paper2code_local.artifacts.paths import RepoPath


class DefinitionSpec(Frozen):
    """One public definition of the file."""

    name: str
    """Qualified as in the plan: "train" or "Model.forward"."""
    does: str
    """What it computes, for its docstring."""
    shapes: str
    """Shapes of tensors in and out, "" when there are none."""


class Step(Frozen):
    """One step of the algorithm."""

    text: str
    source: str
    """Id of the section or formula it comes from; "" when the model named none."""


class FileSpec(Frozen):
    """What the coder of one file is told."""

    path: RepoPath
    definitions: tuple[DefinitionSpec, ...]
    steps: tuple[Step, ...]
    config_keys: tuple[str, ...]
    """Keys of config.yaml that this file reads."""
    edge_cases: tuple[str, ...]
