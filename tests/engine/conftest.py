"""The real server: vLLM's own, on a Unix socket, as `p2c-local serve` starts it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest
import pytest_asyncio

from paper2code_local import __version__
from paper2code_local.engine import served, sizing
from paper2code_local.engine.hardware import hardware
from paper2code_local.engine.http import HttpEngine
from paper2code_local.engine.wire import Wire
from paper2code_local.modelstore.folder import ModelFolder
from paper2code_local.session import shape_of, tokenizer_of


@pytest.fixture(scope="session")
def warm(tiny_model: ModelFolder) -> Generator[served.Served]:
    """The 135M on vLLM's server with a context of 2,048; it dies with us, however we end."""
    arguments = sizing.engine_args(hardware(), shape_of(tiny_model), sizing.Need(context=2048))
    with tempfile.TemporaryDirectory() as runtime:  # short enough for a socket
        environ = {**os.environ, "XDG_RUNTIME_DIR": runtime}
        with served.place(environ) as place:
            process = served.start(place, tiny_model.path, tiny_model.id, arguments)
            try:
                process.wait_ready(lambda: None)
                state = served.Served(
                    socket=str(place / served.SOCKET),
                    pid=process.child.pid,
                    model=tiny_model.id,
                    identity=tiny_model.identity,
                    context=arguments.max_model_len,
                    cache=sizing.cache_tokens(arguments, shape_of(tiny_model)),
                    vllm=served.vllm_version(),
                    version=__version__,
                )
                served.keep(place, state)
                assert served.running(environ) == state
                assert not Path(state.socket).stat().st_mode & 0o177
                yield state
            finally:
                process.stop()
        assert served.running(environ) is None


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def warm_engine(warm: served.Served, tiny_model: ModelFolder) -> AsyncGenerator[HttpEngine]:
    """An engine on it, which sends token ids."""
    engine = HttpEngine(warm.server(), Wire(warm.url), tokenizer_of(tiny_model))
    yield engine
    await engine.close()
