"""A machine with nothing on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doctor.machines import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)
