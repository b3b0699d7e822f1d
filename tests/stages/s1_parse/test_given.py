"""What was given is read whole, and nothing else is."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from paper2code_local.errors import InputError
from paper2code_local.stages.s1_parse.given import Given, given
from paper2code_local.stages.s1_parse.latex_folder import MAX_ENTRIES, MAX_TEXT

MAIN = (
    "\\documentclass{article}\n\\usepackage{mine}\n\\begin{document}\n"
    "\\input{parts/one}\n\\bibliography{refs}\n\\end{document}"
)
PAPER = {
    "main.tex": MAIN,
    "main.bbl": "\\begin{thebibliography}{1}\\end{thebibliography}",
    "mine.sty": "\\newcommand{\\ours}{Ours}",
    "parts/one.tex": "One. \\input{two}",
    "two.tex": "Two.",
    "refs.bib": "@misc{a, title={A}}",
    "notes.tex": "nobody reads this",
    "figure.png": "not text",
}
READ = {"main.tex", "main.bbl", "mine.sty", "parts/one.tex", "two.tex", "refs.bib"}
Packer = Callable[[dict[str, str]], bytes]


def as_tar(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            tar.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


def as_zip(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def as_tgz(files: dict[str, str]) -> bytes:
    return gzip.compress(as_tar(files), 1)


def folder(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def code_of(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        given(path)
    assert caught.value.exit_code == 3
    assert caught.value.hint
    return caught.value.code


@pytest.mark.parametrize("data", [b"%PDF-1.7 \x00", b"<TEI/>", b'{"title": 1}', b"# A title\n\\section is a command"])
def test_any_single_file_is_its_bytes(tmp_path: Path, data: bytes) -> None:
    found = given(written(tmp_path / "paper.any", data))
    assert found == Given("paper.any", {"paper.any": data}, "paper.any", hashlib.sha256(data).hexdigest())


@pytest.mark.parametrize("pack", [as_tar, as_tgz, as_zip])
def test_an_archive_gives_what_its_main_file_reaches(tmp_path: Path, pack: Packer) -> None:
    data = pack(PAPER)
    found = given(written(tmp_path / "no-ending", data))
    assert set(found.files) == READ
    assert (found.main, found.sha256) == ("main.tex", hashlib.sha256(data).hexdigest())
    assert found.warnings == ()


def test_a_folder_and_its_main_file_give_the_same(tmp_path: Path) -> None:
    root = folder(tmp_path / "paper", PAPER)
    by_folder, by_file = given(root), given(root / "main.tex")
    assert set(by_folder.files) == READ
    assert (by_folder.files, by_folder.sha256) == (by_file.files, by_file.sha256)
    assert (by_folder.name, by_file.name) == ("paper", "main.tex")


def test_the_digest_is_of_what_is_read(tmp_path: Path) -> None:
    root = folder(tmp_path / "paper", PAPER)
    before = given(root).sha256
    (root / "notes.tex").write_text("changed")
    assert given(root).sha256 == before
    (root / "two.tex").write_text("changed")
    assert given(root).sha256 != before


def test_a_lone_tex_file_has_the_digest_of_its_bytes(tmp_path: Path) -> None:
    path = written(tmp_path / "a.tex", b"\\documentclass{article}\\begin{document}x\\end{document}")
    assert given(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_one_compressed_tex_file_is_a_paper(tmp_path: Path) -> None:
    found = given(written(tmp_path / "2101.00001.gz", gzip.compress(MAIN.encode())))
    assert (found.main, found.files[found.main]) == ("2101.00001.tex", MAIN.encode())


READING = "\\documentclass{article}\\begin{document}\\input{b}\\end{document}"


@pytest.mark.parametrize(
    ("files", "main"),
    [
        ({"a.tex": READING, "b.tex": MAIN}, "a.tex"),
        ({"sup.tex": MAIN, "ms.tex": MAIN}, "ms.tex"),
        ({"main.tex": MAIN.replace("article", "beamer"), "x.tex": MAIN}, "x.tex"),
        ({"main.tex": "% \\documentclass{article}\n% \\begin{document}", "new.tex": MAIN}, "new.tex"),
        ({"long.tex": MAIN + "word " * 20, "few.tex": MAIN}, "long.tex"),
        ({"deep/a.tex": READING, "deep/b.tex": "x"}, "deep/a.tex"),
        ({"only.tex": "\\section{A} without a preamble"}, "only.tex"),
    ],
)
def test_the_main_file_is_found(tmp_path: Path, files: dict[str, str], main: str) -> None:
    found = given(written(tmp_path / "x.tar", as_tar(files)))
    assert found.main == main
    if main.startswith("deep/"):
        assert set(found.files) == set(files)


def test_a_choice_of_main_files_is_said(tmp_path: Path) -> None:
    found = given(written(tmp_path / "x.tar", as_tar({"one.tex": MAIN, "main.tex": MAIN})))
    assert found.warnings == ("main.tex was read as the main file; others could be: one.tex.",)


def test_names_that_a_macro_makes_up_bring_all_sources(tmp_path: Path) -> None:
    main = "\\documentclass{article}\\begin{document}\\newcommand\\p{parts}\\input{\\p/one}\\end{document}"
    found = given(written(tmp_path / "x.tar", as_tar({**PAPER, "main.tex": main})))
    assert "parts/one.tex" in found.files


VAST_DIRECTORY = as_zip(PAPER)[:-10] + (50_000_000).to_bytes(4, "little") + as_zip(PAPER)[-6:]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "input.empty"),
        (b" \n", "input.empty"),
        (as_tar({"a.txt": "x"}), "input.no_tex"),
        (as_zip({}), "input.no_tex"),
        (as_zip({"word/document.xml": "<x/>"}), "input.no_tex"),
        (as_tar({"a.tex": "x", "b.tex": "y"}), "input.no_main"),
        (gzip.compress(b"just words"), "input.no_tex"),
        (as_tgz(PAPER)[:200], "input.damaged"),
        (as_tar(PAPER)[:1300], "input.damaged"),
        (as_zip(PAPER)[:200], "input.damaged"),
        (as_zip(PAPER)[:-30], "input.damaged"),
        (tarfile.TarInfo("a.tex").tobuf() * (MAX_ENTRIES + 1), "input.too_many"),
        (VAST_DIRECTORY, "input.too_many"),
        (as_zip({"main.tex": "a" * (MAX_TEXT + 1)}), "input.no_tex"),
        (gzip.compress(bytes(10_000_000), 1) * 21, "input.too_large"),
    ],
    ids=range(15),
)
def test_what_cannot_be_a_paper_is_one_error(tmp_path: Path, data: bytes, code: str) -> None:
    assert code_of(written(tmp_path / "paper", data)) == code


def test_an_encrypted_zip_is_named(tmp_path: Path) -> None:
    data = bytearray(as_zip({"main.tex": MAIN}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    assert code_of(written(tmp_path / "x.zip", bytes(data))) == "input.encrypted"


def test_what_is_no_file_is_never_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert code_of(tmp_path / "pipe") == "input.not_a_file"
    assert code_of(tmp_path / "absent") == "input.unreadable"
    assert code_of(Path("/dev/zero")) == "input.not_a_file"
    (tmp_path / "empty").mkdir()
    assert code_of(tmp_path / "empty") == "input.no_tex"


REACHING = "\\documentclass{article}\\begin{document}" + "".join(
    f"\\input{{{name}}}"
    for name in ("{}/secret", "../secret", "link", "linked/secret", "pipe", "ok", "parts/../../secret", "./in/../ok2")
)


def test_nothing_outside_of_a_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "secret.tex").write_text("SECRET")
    root = folder(
        tmp_path / "paper", {"main.tex": REACHING.replace("{}", str(tmp_path)), "real.tex": "R", "ok2.tex": "2"}
    )
    (root / "link.tex").symlink_to("../secret.tex")
    (root / "linked").symlink_to("..")
    (root / "ok.tex").symlink_to("real.tex")
    os.mkfifo(root / "pipe.tex")
    for path in (root, root / "main.tex"):
        found = given(path)
        assert set(found.files) == {"main.tex", "ok.tex", "ok2.tex"}
        assert "SECRET" not in repr(found)
        assert any(w.startswith("link.tex was left out: it points outside") for w in found.warnings)


def test_nothing_outside_of_an_archive_is_read(tmp_path: Path) -> None:
    (tmp_path / "secret.tex").write_text("SECRET")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, kind, link in (
            ("link.tex", tarfile.SYMTYPE, "../secret.tex"),
            ("hard.tex", tarfile.LNKTYPE, str(tmp_path / "secret.tex")),
            ("linked", tarfile.SYMTYPE, ".."),
            ("pipe.tex", tarfile.FIFOTYPE, ""),
            ("ok.tex", tarfile.SYMTYPE, "real.tex"),
            ("loop.tex", tarfile.SYMTYPE, "loop.tex"),
        ):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, link
            tar.addfile(entry)
        for name, text in (
            ("main.tex", REACHING + "\\input{loop}\\input{hard}"),
            ("real.tex", "R"),
            ("../evil.tex", "E"),
        ):
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    found = given(written(tmp_path / "x.tar", buffer.getvalue()))
    assert found.files == {"main.tex": (REACHING + "\\input{loop}\\input{hard}").encode(), "ok.tex": b"R"}
    assert sum("outside" in w for w in found.warnings) == 4


@pytest.mark.parametrize("pack", [as_tar, as_tgz, as_zip])
def test_damage_is_an_error_or_changes_no_name(tmp_path: Path, pack: Packer) -> None:
    data = pack(PAPER)
    for position in range(0, len(data), max(1, len(data) // 25)):
        broken = bytearray(data)
        broken[position] ^= 0x55
        try:
            found = given(written(tmp_path / "x", bytes(broken)))
        except InputError:
            continue
        assert all(".." not in name and not name.startswith("/") for name in found.files)
