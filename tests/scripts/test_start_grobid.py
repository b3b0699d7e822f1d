"""scripts/start-grobid with container engines that only write down what they were asked."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from itertools import count, pairwise
from pathlib import Path

import pytest

from tests import grobid_stand_in as fake
from tests.grobid_stand_in import Fault, StandIn

SCRIPT = Path(__file__).parents[2] / "scripts" / "start-grobid"
RUNTIMES = ("docker", "podman", "apptainer")
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A PATH folder with the few tools that the script needs, and no container engine."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in ("bash", "env", "sed", "grep", "sleep", "mkdir", "rm"):
        found = shutil.which(tool)
        assert found
        (folder / tool).symlink_to(found)
    return folder


@pytest.fixture
def install(path: Path, tmp_path: Path) -> Callable[..., None]:
    """Put fake container engines on the PATH; they list the container as running, or end with `exit_code`."""

    def put(*names: str, exit_code: int = 0, listed: str = "p2c-grobid-$PORT   1 image") -> None:
        for name in names:
            (path / name).write_text(
                f'#!/usr/bin/env bash\necho "{name} $*" >> {shlex.quote(str(tmp_path / "calls"))}\n'
                f'case "$*" in ps* | "instance list"*) echo "{listed}" ;; esac\nexit {exit_code}\n'
            )
            (path / name).chmod(0o755)

    return put


@pytest.fixture
def run(path: Path, tmp_path: Path) -> Run:
    def start(*arguments: str, port: int = 1) -> subprocess.CompletedProcess[str]:
        elsewhere = tmp_path / "a folder of the user"
        elsewhere.mkdir(exist_ok=True)
        return subprocess.run(
            [str(SCRIPT), *arguments],
            cwd=elsewhere,
            env={"PATH": str(path), "HOME": str(tmp_path), "PORT": str(port)},
            capture_output=True,
            text=True,
            timeout=30,
        )

    return start


@pytest.fixture
def calls(tmp_path: Path) -> Callable[[], list[str]]:
    log = tmp_path / "calls"
    return lambda: log.read_text().splitlines() if log.exists() else []


def _loading(refusals: int) -> Fault:
    """A server that is alive after so many pings."""
    numbers: Iterator[int] = count()
    return lambda handler: handler.answer(
        *((503, b"false") if next(numbers) < refusals else (200, b"true")), "text/plain"
    )


@pytest.mark.parametrize("name", RUNTIMES)
def test_print_shows_the_command_and_runs_nothing(
    name: str, install: Callable[..., None], run: Run, calls: Callable[[], list[str]]
) -> None:
    install(*RUNTIMES)
    done = run("--print", "--with", name)
    words = shlex.split(done.stdout)
    assert done.returncode == 0
    assert words[0] == name
    assert any(word.endswith("grobid/grobid:0.9.1-crf") for word in words)
    assert "0.0.0.0" not in done.stdout
    assert calls() == []


@pytest.mark.parametrize("name", ["docker", "podman"])
def test_the_port_is_published_on_loopback_only(name: str, install: Callable[..., None], run: Run) -> None:
    install(name)
    words = shlex.split(run("--print").stdout)
    published = [after for word, after in pairwise(words) if word in ("--publish", "-p")]
    assert published == ["127.0.0.1:8070:8070"]
    assert "--init" in words
    assert words[words.index("--ulimit") + 1] == "core=0"


def test_under_apptainer_grobid_itself_listens_on_loopback_only(install: Callable[..., None], run: Run) -> None:
    install("apptainer")
    words = shlex.split(run("--print", "--port", "9000").stdout)
    java = words[words.index("--env") + 1]
    for connector, port in (("application", 9000), ("admin", 9001)):
        assert f"-Ddw.server.{connector}Connectors[0].bindHost=127.0.0.1" in java
        assert f"-Ddw.server.{connector}Connectors[0].port={port}" in java


@pytest.mark.parametrize("name", RUNTIMES)
def test_an_image_that_was_carried_here_is_taken(name: str, install: Callable[..., None], run: Run) -> None:
    install(name)
    words = shlex.split(run("--print", "--image", "my images/grobid.sif").stdout)
    assert "my images/grobid.sif" in words
    assert not any("0.9.1" in word for word in words)


@pytest.mark.parametrize("first", range(3))
def test_the_first_engine_that_is_installed_is_taken(first: int, install: Callable[..., None], run: Run) -> None:
    install(*RUNTIMES[first:])
    assert run("--print").stdout.startswith(RUNTIMES[first] + " ")


def test_no_engine_is_one_clear_message(run: Run) -> None:
    done = run()
    assert done.returncode == 1
    assert done.stdout == ""
    assert "none of docker, podman and apptainer is installed" in done.stderr
    assert "--parser pdf" in done.stderr


def test_an_engine_that_is_asked_for_must_be_there(install: Callable[..., None], run: Run) -> None:
    install("docker")
    done = run("--with", "podman")
    assert done.returncode == 1
    assert "podman is not installed" in done.stderr


@pytest.mark.thorough
@pytest.mark.parametrize("name", RUNTIMES)
def test_it_waits_until_grobid_is_alive_and_prints_the_url(
    name: str, install: Callable[..., None], run: Run, calls: Callable[[], list[str]]
) -> None:
    install(name)
    with StandIn(ping=_loading(2)) as grobid:
        done = run("--port", str(grobid.port), port=grobid.port)
    assert done.returncode == 0, done.stderr
    assert done.stdout == grobid.url + "\n"
    assert "." in done.stderr
    assert f"p2c-grobid-{grobid.port}" in calls()[0]


def test_a_server_that_answers_already_is_left_alone(
    install: Callable[..., None], run: Run, calls: Callable[[], list[str]]
) -> None:
    install("docker")
    with StandIn() as grobid:
        done = run("--port", str(grobid.port))
    assert (done.returncode, done.stdout) == (0, grobid.url + "\n")
    assert calls() == []


def test_a_container_that_dies_ends_the_wait(install: Callable[..., None], run: Run) -> None:
    install("docker", listed="")
    with StandIn(ping=fake.status(503)) as grobid:
        done = run("--port", str(grobid.port))
    assert done.returncode == 1
    assert "--foreground" in done.stderr


@pytest.mark.thorough
def test_the_wait_is_bounded(install: Callable[..., None], run: Run) -> None:
    install("podman")
    with StandIn(ping=fake.html) as grobid:
        done = run("--port", str(grobid.port), "--wait", "1")
    assert done.returncode == 1
    assert "within 1 s" in done.stderr
    assert "--stop" in done.stderr


def test_an_engine_that_fails_is_said(install: Callable[..., None], run: Run) -> None:
    install("docker", exit_code=125)
    done = run("--port", "1")
    assert done.returncode == 1
    assert "docker could not start GROBID" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("name", RUNTIMES)
def test_foreground_stays_attached(
    name: str, install: Callable[..., None], run: Run, calls: Callable[[], list[str]]
) -> None:
    install(name)
    assert run("--foreground", "--port", "1").returncode == 0
    (call,) = calls()
    assert call.startswith(f"{name} run ")
    assert "--detach" not in call


@pytest.mark.parametrize("name", RUNTIMES)
def test_stop_stops_ours(name: str, install: Callable[..., None], run: Run, calls: Callable[[], list[str]]) -> None:
    install(name)
    assert run("--stop").returncode == 0
    (call,) = calls()
    assert call in (f"{name} stop p2c-grobid-8070", f"{name} instance stop p2c-grobid-8070")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--bogus",),
        ("--port",),
        ("--port", "0"),
        ("--port", "65535"),
        ("--port", "80;id"),
        ("--wait", "-1"),
        ("--with", "kubectl"),
    ],
)
def test_a_wrong_option_is_a_usage_error(arguments: tuple[str, ...], install: Callable[..., None], run: Run) -> None:
    install("docker")
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("start-grobid: ")


def test_help_says_what_it_does(run: Run) -> None:
    done = run("--help")
    assert done.returncode == 0
    assert done.stdout.startswith("Start a GROBID server")
    for option in ("--with", "--image", "--port", "--wait", "--foreground", "--stop", "--print"):
        assert option in done.stdout
