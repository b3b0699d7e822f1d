"""Which tests run: fast ones first, then the real engine's; a real-engine test that is skipped is a failure.

P2C_NO_ENGINE=1 leaves the engine's tests out, knowingly. Tests marked `grobid` run where P2C_GROBID_URL names a server,
tests marked `sandbox` where a sandbox can be started; where none can, the last lines say so.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Generator
from functools import cache

import pytest
import pytest_asyncio

from paper2code_local.engine import sizing
from paper2code_local.engine.hardware import hardware
from paper2code_local.engine.protocol import Engine
from paper2code_local.errors import SandboxError
from paper2code_local.modelstore.folder import ModelFolder, model_folder
from paper2code_local.modelstore.store import default_store
from paper2code_local.session import shape_of, tokenizer_of
from paper2code_local.smoke import find_sandbox


@cache
def without_sandbox() -> str:
    """Return why no sandbox can be started on this machine; "" when one can."""
    try:
        find_sandbox()
    except SandboxError as error:
        return error.message
    return ""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if reason := without_sandbox():
        terminalreporter.write_line(f"tests marked `sandbox` are left out: {reason}", yellow=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = {
        marker
        for marker, is_out in [
            ("engine", os.environ.get("P2C_NO_ENGINE") == "1"),
            ("grobid", not os.environ.get("P2C_GROBID_URL")),
            ("sandbox", any(item.get_closest_marker("sandbox") for item in items) and without_sandbox()),
        ]
        if is_out
    }
    deselected = [item for item in items if any(item.get_closest_marker(marker) for marker in left_out)]
    config.hook.pytest_deselected(items=deselected)
    items[:] = sorted(
        (item for item in items if item not in deselected),
        key=lambda item: item.get_closest_marker("engine") is not None,
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and item.get_closest_marker("engine"):
        report.outcome = "failed"
        report.longrepr = "a real-engine test may not be skipped; leave them all out with P2C_NO_ENGINE=1"
    return report


@pytest.fixture(scope="session")
def tiny_model() -> ModelFolder:
    """The 135M, for tests of the real engine; `scripts/test` pulls it."""
    return model_folder("smollm2-135m-instruct", default_store(os.environ))


@pytest.fixture(scope="session")
def small_model() -> ModelFolder:
    """The 0.5B coder, for tests of the real engine; `scripts/test` pulls it."""
    return model_folder("qwen2.5-coder-0.5b-instruct", default_store(os.environ))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def real_engine(small_model: ModelFolder, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Engine]:
    """One vLLM engine for all tests, with the 0.5B and a context of 4,096; it dies with us, however we end.

    Tests that use it run in its event loop: `@pytest.mark.asyncio(loop_scope="session")`.
    """
    from paper2code_local.engine import vllm

    arguments = sizing.engine_args(hardware(), shape_of(small_model), sizing.Need(context=4096))
    log = tmp_path_factory.mktemp("engine") / "engine.log"
    engine = await vllm.start(small_model.path, small_model.identity, tokenizer_of(small_model), arguments, log)
    yield engine
    await engine.close()
