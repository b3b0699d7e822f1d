"""The GROBID client against a stand-in server with every fault that was met or can be imagined, and a real one."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from itertools import repeat
from pathlib import Path

import pytest

from paper2code_local.errors import GrobidError, InputError
from paper2code_local.stages.s1_parse.grobid import alive, tei_of
from tests import grobid_stand_in as fake
from tests.grobid_stand_in import Fault, StandIn


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    path = tmp_path / "schritt für schritt.pdf"
    path.write_bytes(b"%PDF-1.7\r\n\x00\xff--not a boundary\r\n%%EOF")
    return path


@pytest.fixture
def nobody() -> str:
    """The URL of a loopback port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


async def _error_of(pdf: Path, url: str, deadline: float = 30.0) -> GrobidError:
    with pytest.raises(GrobidError) as caught:
        await tei_of(pdf, url, deadline=deadline)
    assert caught.value.message
    assert caught.value.hint
    return caught.value


async def _error_with(pdf: Path, faults: Iterable[Fault], deadline: float = 30.0) -> GrobidError:
    with StandIn(faults=faults) as grobid:
        return await _error_of(pdf, grobid.url, deadline)


async def test_tei_comes_back_byte_for_byte(pdf: Path) -> None:
    with StandIn() as grobid:
        assert await tei_of(pdf, grobid.url + "/") == fake.TEI


async def test_only_the_pdf_is_sent_and_every_lookup_is_off(pdf: Path) -> None:
    with StandIn() as grobid:
        await tei_of(pdf, grobid.url)
    (received,) = grobid.received
    assert received.pdf == pdf.read_bytes()
    assert received.filename == "paper.pdf"
    assert {"consolidateHeader", "consolidateCitations", "consolidateFunders"} <= received.fields.keys()
    assert set(received.fields.values()) == {"0"}
    assert "teiCoordinates" not in received.fields


@pytest.mark.thorough
async def test_a_server_that_is_busy_for_a_while_is_asked_again(pdf: Path) -> None:
    with StandIn(faults=[fake.busy, fake.busy]) as grobid:
        assert await tei_of(pdf, grobid.url) == fake.TEI
    assert len(grobid.received) == 3
    assert {received.pdf for received in grobid.received} == {pdf.read_bytes()}


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("faults", "reason"),
    [(repeat(fake.busy), "busy"), ([fake.hang], "timeout"), ([fake.dribble], "timeout")],
    ids=["busy", "hang", "dribble"],
)
async def test_whatever_the_server_does_the_wait_ends_at_the_deadline(
    pdf: Path, faults: Iterable[Fault], reason: str
) -> None:
    began = time.monotonic()
    error = await _error_with(pdf, faults, deadline=0.8)
    assert error.code == f"grobid.{reason}"
    assert time.monotonic() - began < 3.0


@pytest.mark.thorough
@pytest.mark.parametrize("breaks", [fake.reset, fake.cut, fake.cut_unannounced, fake.restart(1.2)])
async def test_a_server_that_stops_midway_and_comes_back_is_asked_again(pdf: Path, breaks: Fault) -> None:
    with StandIn(faults=[breaks]) as grobid:
        assert await tei_of(pdf, grobid.url) == fake.TEI
    assert len(grobid.received) == 2


@pytest.mark.thorough
async def test_a_pdf_that_breaks_the_server_is_sent_three_times_at_most(pdf: Path) -> None:
    with StandIn(faults=repeat(fake.reset)) as grobid:
        assert (await _error_of(pdf, grobid.url)).code == "grobid.reset"
    assert len(grobid.received) == 3


@pytest.mark.thorough
async def test_a_server_that_does_not_come_back_by_the_deadline_is_what_it_broke_with(pdf: Path) -> None:
    began = time.monotonic()
    error = await _error_with(pdf, [fake.restart(60)], deadline=1.0)
    assert error.code == "grobid.reset"
    assert time.monotonic() - began < 3.0


@pytest.mark.thorough
async def test_a_server_that_still_starts_is_waited_for(pdf: Path) -> None:
    with StandIn(health=[fake.STARTING, fake.STARTING]) as grobid:
        assert await tei_of(pdf, grobid.url) == fake.TEI
    with StandIn(health=repeat(fake.STARTING)) as grobid:
        assert (await _error_of(pdf, grobid.url, deadline=0.7)).code == "grobid.busy"
        assert not grobid.received


async def test_a_server_whose_models_failed_says_which(pdf: Path) -> None:
    with StandIn(health=repeat(fake.BROKEN)) as grobid:
        error = await _error_of(pdf, grobid.url)
        assert error.code == "grobid.not_ready"
        assert "header" in error.message
        assert not grobid.received


@pytest.mark.parametrize("health", [b"", b"OK", b"[]", b"[" * 100_000, b'{"status": "up"}'])
async def test_a_server_whose_health_says_nothing_is_asked_whether_it_is_alive(pdf: Path, health: bytes) -> None:
    with StandIn(health=[health]) as grobid:
        assert await tei_of(pdf, grobid.url) == fake.TEI


@pytest.mark.parametrize("version", [b"0.8.1", b"0.7.3-SNAPSHOT", b'{"version": "0.6.2"}', b"0.8"])
async def test_a_server_that_is_too_old_is_sent_nothing(pdf: Path, version: bytes) -> None:
    with StandIn(version=version) as grobid:
        error = await _error_of(pdf, grobid.url)
        assert error.code == "grobid.too_old"
        assert "scripts/start-grobid" in error.hint
        assert not grobid.received


@pytest.mark.parametrize(
    ("version", "advised"),
    [(b"0.8.2", True), (b"0.9.0-70-g94429f4e2", True), (b"unknown", True), (b"0.9.1", False), (b"0.10.0", False)],
)
async def test_another_version_is_recommended_where_it_is_better(pdf: Path, version: bytes, advised: bool) -> None:
    heard: list[str] = []
    with StandIn(version=version) as grobid:
        assert await tei_of(pdf, grobid.url, notice=heard.append) == fake.TEI
    assert ["grobid/grobid:0.9.1-crf" in said for said in heard] == [True] * advised


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (b"consolidateHeader=0", b"consolidateHeader=1"),
        (b"consolidateCitations=0", b"consolidateCitations=2"),
        (b"<text>", b'<text><biblStruct xml:id="b0" status="consolidated" source="crossref"/>'),
    ],
)
async def test_what_was_looked_up_all_the_same_is_refused(pdf: Path, was: bytes, becomes: bytes) -> None:
    assert was in fake.TEI
    with StandIn(fake.TEI.replace(was, becomes)) as grobid:
        assert (await _error_of(pdf, grobid.url)).code == "grobid.consolidated"


async def test_tei_that_does_not_say_what_was_looked_up_is_believed(pdf: Path) -> None:
    silent = re.sub(rb"<encodingDesc>.*</encodingDesc>", b"", fake.TEI)
    silent = silent.replace(b"<text>", b'<text><biblStruct status="extracted"/>')
    with StandIn(silent) as grobid:
        assert await tei_of(pdf, grobid.url) == silent


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (fake.no_content, "no_content"),
        (fake.html, "html"),
        (fake.wrong_root, "not_tei"),
        (fake.not_xml, "not_tei"),
        (fake.status(200), "not_tei"),
        (fake.status(400), "failed"),
        (fake.status(404), "not_grobid"),
        (fake.status(502), "not_grobid"),
    ],
)
async def test_each_fault_has_a_reason_of_its_own(pdf: Path, fault: Fault, reason: str) -> None:
    assert (await _error_with(pdf, [fault])).code == f"grobid.{reason}"


@pytest.mark.parametrize(
    ("code", "number", "reason", "advice"),
    [
        ("NO_BLOCKS", 500, "no_blocks", "OCR"),
        ("NO_BLOCKS", 400, "no_blocks", "OCR"),
        ("BAD_INPUT_DATA", 500, "bad_input_data", "damaged"),
        ("PDFALTO_CONVERSION_FAILURE", 500, "pdfalto_conversion_failure", "damaged"),
        ("TOO_MANY_BLOCKS", 409, "too_many_blocks", "too long"),
        ("TOO_MANY_TOKENS", 500, "too_many_tokens", "too long"),
        ("TIMEOUT", 409, "gave_up", "120 s"),
        ("TAGGING_ERROR", 500, "tagging_error", "models"),
        ("PARSING_ERROR", 500, "parsing_error", "viewer"),
        ("GENERAL", 500, "general", "log"),
        ("NEVER_HEARD_OF", 500, "failed", "log"),
    ],
)
async def test_what_grobid_says_of_a_failure_has_a_code_and_advice(
    pdf: Path, code: str, number: int, reason: str, advice: str
) -> None:
    with StandIn(faults=[fake.failed(code, number=number)]) as grobid:
        error = await _error_of(pdf, grobid.url)
        assert len(grobid.received) == 1, "it would fail again"
    assert error.code == f"grobid.{reason}"
    assert f"[{code}] said the parser" in error.message
    assert advice in error.hint


async def test_a_failure_cannot_steer_the_terminal(pdf: Path) -> None:
    error = await _error_with(pdf, [fake.failed("GENERAL", "\x1b]0;owned\x07" + "x" * 5000)])
    assert error.message.isprintable()
    assert len(error.message) < 400


async def test_a_huge_answer_is_not_read_to_its_end(pdf: Path) -> None:
    with StandIn(tei=fake.TEI + b" " * (65 * 2**20)) as grobid:
        assert (await _error_of(pdf, grobid.url)).code == "grobid.not_tei"


async def test_nobody_there_is_down(pdf: Path, nobody: str) -> None:
    error = await _error_of(pdf, nobody)
    assert error.code == "grobid.down"
    assert nobody in error.message
    assert "scripts/start-grobid" in error.hint


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:8070",
        "localhost:8070",
        "http://",
        "http://127.0.0.1:port",
        "http://127.0.0.1:0",
        "http://127.0.0.1:80700",
        "http://[::1",
        "file:///etc/passwd",
        "http://me:secret@127.0.0.1:8070",
        "http://127.0.0.1:8070/?a=b",
        "http://127.0.0.1:8070\r\nHost: elsewhere",
        "http://127.0.0.1 :8070",
    ],
)
async def test_a_url_that_is_none_is_refused_before_anything_is_sent(pdf: Path, url: str) -> None:
    error = await _error_of(pdf, url)
    assert error.code == "grobid.bad_url"
    assert "secret" not in error.message
    with pytest.raises(GrobidError, match="not the URL"):
        await alive(url)


async def test_a_proxy_of_the_environment_is_ignored(pdf: Path, nobody: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, nobody)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with StandIn() as grobid:
        assert await alive(grobid.url) == "0.9.1"
        assert await tei_of(pdf, grobid.url) == fake.TEI


async def test_a_redirect_is_not_followed(pdf: Path) -> None:
    with StandIn() as elsewhere:
        there = fake.redirect(f"{elsewhere.url}/api/processFulltextDocument")
        with StandIn(faults=[there], ping=there) as grobid:
            assert (await _error_of(pdf, grobid.url)).code == "grobid.not_grobid"
            with pytest.raises(GrobidError):
                await alive(grobid.url)
    assert elsewhere.connections == 0


async def test_a_pdf_that_cannot_be_read_is_the_inputs_fault(tmp_path: Path, nobody: str) -> None:
    with pytest.raises(InputError):
        await tei_of(tmp_path / "missing.pdf", nobody)


@pytest.mark.thorough
async def test_the_wait_is_told_about_and_ends_with_the_answer(pdf: Path) -> None:
    heard: list[str] = []
    with StandIn(faults=[fake.hang]) as grobid:
        with pytest.raises(GrobidError):
            await tei_of(pdf, grobid.url, deadline=2.3, waiting=heard.append)
        assert len(heard) == 1
        assert pdf.name in heard[0]


async def test_several_papers_are_read_at_once(pdf: Path) -> None:
    with StandIn(faults=[fake.busy]) as grobid:
        assert set(await asyncio.gather(*(tei_of(pdf, grobid.url) for _ in range(5)))) == {fake.TEI}


async def test_a_cancelled_wait_ends_at_once(pdf: Path) -> None:
    with StandIn(faults=[fake.hang]) as grobid:
        waiting = asyncio.create_task(tei_of(pdf, grobid.url))
        while not grobid.received:
            await asyncio.sleep(0.01)
        began = time.monotonic()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert time.monotonic() - began < 1.0


def test_a_process_that_gives_up_waiting_also_ends(pdf: Path) -> None:
    program = (
        "import asyncio, sys, pathlib\n"
        "from paper2code_local.stages.s1_parse.grobid import tei_of\n"
        "async def main():\n"
        "    task = asyncio.create_task(tei_of(pathlib.Path(sys.argv[1]), sys.argv[2], deadline=60))\n"
        "    await asyncio.sleep(0.5)\n"
        "    task.cancel()\n"
        "asyncio.run(main())\n"
    )
    with StandIn(faults=[fake.hang]) as grobid:
        done = subprocess.run(
            [sys.executable, "-c", program, str(pdf), grobid.url], timeout=20, capture_output=True, check=True
        )
    assert done.stderr == b""


async def test_alive_names_the_version() -> None:
    with StandIn() as grobid:
        assert await alive(grobid.url) == "0.9.1"
    with StandIn(version=b"0.8.2\n") as old:
        assert await alive(old.url) == "0.8.2"
    with StandIn(version=b"0.6.2") as older, pytest.raises(GrobidError, match="too old"):
        await alive(older.url)


async def test_alive_is_none_where_nothing_answers(nobody: str) -> None:
    assert await alive(nobody) is None
    with StandIn(ping=fake.hang) as silent:
        assert await alive(silent.url, seconds=0.3) is None


@pytest.mark.parametrize(
    ("ping", "reason"),
    [(fake.html, "not_grobid"), (fake.status(404), "not_grobid"), (fake.busy, "busy"), (fake.reset, "reset")],
)
async def test_alive_refuses_what_is_not_grobid(ping: Fault, reason: str) -> None:
    with StandIn(ping=ping) as other, pytest.raises(GrobidError) as caught:
        await alive(other.url)
    assert caught.value.code == f"grobid.{reason}"


@pytest.mark.parametrize("version", [b"", b"\x1b[2J", b'{"version": 9}', b"[]", b"<html>", b"1" * 500])
async def test_alive_passes_on_no_version_that_is_none(version: bytes) -> None:
    with StandIn(version=version) as other, pytest.raises(GrobidError):
        await alive(other.url)


def test_importing_the_module_loads_no_client() -> None:
    program = (
        "import sys, paper2code_local.stages.s1_parse.grobid\nprint({'grobid_client', 'requests'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.grobid
@pytest.mark.skipif("P2C_GROBID_URL" not in os.environ, reason="P2C_GROBID_URL names no GROBID server")
async def test_a_real_server_reads_our_example() -> None:
    url = os.environ["P2C_GROBID_URL"]
    assert await alive(url)
    example = next((Path(__file__).parents[3] / "examples").glob("*.pdf"))
    tei = await tei_of(example, url)
    assert b"<body>" in tei
    assert b"<head" in tei


@pytest.mark.grobid
@pytest.mark.skipif("P2C_GROBID_URL" not in os.environ, reason="P2C_GROBID_URL names no GROBID server")
async def test_a_real_server_says_why_it_cannot_read_nonsense(pdf: Path) -> None:
    error = await _error_of(pdf, os.environ["P2C_GROBID_URL"])
    assert error.code in ("grobid.failed", "grobid.no_content")
