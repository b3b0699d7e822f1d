"""`p2c-local serve`: how long a context it takes. How it serves and what it refuses is in tests/engine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from paper2code_local.cli.serve import ROOMY, fitted
from paper2code_local.engine.hardware import Hardware
from paper2code_local.engine.sizing import GIB
from paper2code_local.errors import EngineError
from paper2code_local.modelstore.folder import open_folder
from tests.small_model import write_model


def test_the_context_is_the_longest_that_fits_unless_one_is_asked_for(tmp_path: Path) -> None:
    write_model(tmp_path / "model")
    folder = open_folder(tmp_path / "model", None)
    roomy, narrow = Hardware(memory=64 * GIB, cores=2), Hardware(memory=2 * GIB, cores=2)
    assert fitted(roomy, folder, None, {}).max_model_len == min(folder.context, ROOMY)
    assert fitted(roomy, folder, 1024, {}).max_model_len == 1024
    with pytest.raises(EngineError) as raised:
        fitted(narrow, folder, None, {})
    assert raised.value.code == "engine.too_small"
    assert os.environ.get("P2C_ENGINE_TOKEN") is None, "nothing was started"
