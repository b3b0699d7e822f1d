"""Provenance: from what, with what and by what a repository was made. No dates: the same run says the same."""

from __future__ import annotations

from paper2code_local.artifacts.frozen import Frozen
from paper2code_local.artifacts.paper import ParserName


class Provenance(Frozen):
    """What a reader needs to make the same repository again."""

    model: str
    """Id of the model, as in `p2c-local models list`, or the name of its folder."""
    model_identity: str
    """What tells its weights from any others, e.g. a sha256."""
    parser: ParserName
    seed: int
    version: str
    """Of paper2code_local."""
    paper: str
    """Name of the paper's file, without its folder."""
    paper_sha256: str
