"""Honest stubs: what comes out compiles and imports only what is there."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paper2code_local.artifacts.finding import errors_of
from paper2code_local.artifacts.repo import Repo, SourceFile
from paper2code_local.errors import AnswerError
from paper2code_local.stages.s4_code import skeleton_file
from paper2code_local.stages.s6_repair import contents, settle
from tests.stages.s6_repair.small_faults import GOOD, MAIN, MODEL, SPECS, gate, plain_skeleton, repo, settled, skeleton
from tests.stages.s7_write.small_repository import PLAN

HEIR = PLAN.files[1].classes[0].model_copy(update={"base": "load"})
"""A class whose header needs a name of another file."""
MAIN_PLAN = PLAN.files[2].model_copy(update={"needs": ()})


async def test_a_name_that_is_imported_but_defined_nowhere_gets_a_stub_that_says_so() -> None:
    lost = MAIN.replace("import Smoother\n", "import Smoother, evaluate, report as r\n")
    made = await settled(repo(main=lost))
    assert made.stubbed_names == ("model.py:evaluate", "model.py:report")
    assert made.stubbed_files == ()
    (model,) = (f for f in made.files if f.path == "model.py")
    assert model.text.startswith(MODEL)
    assert 'raise NotImplementedError("P2C202: evaluate was never written")' in model.text
    assert [f.code for f in errors_of(made.findings)] == ["P2C401", "P2C401"]


async def test_a_file_that_does_not_compile_becomes_its_skeleton() -> None:
    made = await settled(repo(model="Here is the code you asked for:\n"))
    assert (made.stubbed_files, made.stubbed_names) == (("model.py",), ())
    (model,) = (f for f in made.files if f.path == "model.py")
    assert "class Smoother(nn.Module):" in model.text
    assert "def forward(self, x: torch.Tensor" in model.text
    assert '"P2C103: ' in model.text
    assert "P2C401" in {f.code for f in errors_of(made.findings)}


async def test_a_skeleton_may_import_what_its_need_never_defined() -> None:
    """The plan says that main.py may import `load`; the person who edited data/loader.py took it away."""
    made = await settled(repo(data__loader="x = 1\n", model="("))
    assert made.stubbed_files == ("model.py",)
    assert "data/loader.py:load" in made.stubbed_names


@pytest.mark.parametrize(
    "given",
    [
        repo(main="def main("),
        repo(main=None),
        repo(data__loader="(", model="("),
        repo(data__loader=None, model="import nothing.at.all as x\n("),
    ],
)
async def test_without_the_entry_point_or_with_more_stubs_than_files_nothing_may_be_written(given: Repo) -> None:
    with pytest.raises(AnswerError, match="of 3 files") as told:
        await settle(given, PLAN, gate, skeleton)
    assert (told.value.code, told.value.exit_code) == ("answer.stubs", 6)


garbage = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from(
            [
                *("from model import A", "from model import *", "from data.loader import load, B as C", "import main"),
                *("from data import loader, nothing", "import data.nothing", "from . import x", "from ..y import z"),
                *("from main import main", "from model import main", "if True:", "    from model import Z", "else:"),
                *(
                    "class Smoother:",
                    "    pass",
                    "def load(path): return 1",
                    "x = '''",
                    "'''",
                    "\\",
                    "return",
                    "\tx = 1",
                ),
                *(
                    "try:",
                    "    import model",
                    "except ImportError:",
                    "    model = None",
                    "def f(",
                    ")",
                    "print 'x'",
                    "\x00",
                ),
                *("__all__ = ['A']", "def __getattr__(name): return 1", "from data.loader import Ünder, class_", "\f"),
            ]
        ),
        max_size=9,
    ).map("\n".join),
    st.sampled_from(list(GOOD.values())),
)


@settings(max_examples=60, deadline=None)
@given(loader=garbage, model=garbage, main=garbage)
def test_whatever_the_files_hold_the_result_compiles_and_every_import_resolves_or_there_is_none(
    loader: str, model: str, main: str
) -> None:
    try:
        made = asyncio.run(settled(repo(data__loader=loader, model=model, main=main), plain_skeleton))
    except AnswerError:
        return
    assert {f.path for f in made.files} == {*GOOD, "data/__init__.py"}


@settings(max_examples=40, deadline=None)
@given(loader=garbage, model=garbage, main=garbage)
def test_files_of_the_user_stay_as_they_are_and_all_others_compile(loader: str, model: str, main: str) -> None:
    mine = frozenset({"data/loader.py"})
    try:
        made = asyncio.run(settle(repo(data__loader=loader, model=model, main=main), PLAN, gate, plain_skeleton, mine))
    except AnswerError:
        return
    texts = {f.path: f.text for f in made.files}
    assert texts.pop("data/loader.py") == loader
    for path, text in texts.items():
        compile(text, path, "exec", dont_inherit=True)


async def test_a_stub_that_imports_what_the_users_file_lacks_is_a_finding() -> None:
    plan = PLAN.model_copy(
        update={"files": (PLAN.files[0], PLAN.files[1].model_copy(update={"classes": (HEIR,)}), MAIN_PLAN)}
    )

    def made(path: str, reason: str) -> SourceFile:
        return skeleton_file(path, plan, SPECS, reason)

    given = repo(data__loader="x = 1\n", model="(", main="def main(config):\n    return 1\n")
    settled = await settle(given, plan, gate, made, frozenset({"data/loader.py"}))
    assert settled.stubbed_files == ("model.py",)
    assert ("P2C202", "model.py") in {(f.code, f.path) for f in errors_of(settled.findings)}


def test_every_folder_with_code_is_a_package() -> None:
    files = {"a/b/c.py": "x = 1\n", "d.py": ""}
    assert contents(files) == {"a/__init__.py": "", "a/b/__init__.py": "", "a/b/c.py": "x = 1\n", "d.py": ""}
