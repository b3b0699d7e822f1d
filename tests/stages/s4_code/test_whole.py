"""Large models: a file is one answer that goes on from our opening lines, or no file."""

from __future__ import annotations

import pytest

from paper2code_local.artifacts.repair import Fault
from paper2code_local.artifacts.repo import SourceFile, Unwritten
from paper2code_local.source import outline, undefined_names
from paper2code_local.stages.s4_code import code_file, recode_file
from tests import cooling
from tests.engines import Answering, Said, in_turn
from tests.snapshot import same_as_snapshot

SCHEDULE = "cooling/schedule.py"
GOOD = '''
import math
from typing import Any


class Schedule:
    """The schedule."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.start = config["start"]

    def at(self, step: int) -> float:
        return self.start * math.exp(-step)
'''


async def written(*said: Said, path: str = SCHEDULE, attempts: int = 3) -> tuple[SourceFile | Unwritten, Answering]:
    plan, specs, informed = await cooling.analysed(Answering(cooling.sensible))
    engine = Answering(in_turn(*said))
    asker = cooling.asker(engine, attempts=attempts).knowing(informed.shared)
    needed = tuple(SourceFile(path=need, text="class Schedule:\n    x = 1\n") for need in plan.file(path).needs)
    return await code_file(plan.file(path), plan, specs, needed, asker, "file"), engine


async def test_a_good_file_is_taken_and_begins_with_our_lines() -> None:
    file, engine = await written(GOOD)
    assert isinstance(file, SourceFile)
    assert file.text.startswith('"""The schedule t_k."""\n\nfrom __future__ import annotations\n')
    assert [d.qualname for d in outline(file.text).definitions] == ["Schedule", "Schedule.__init__", "Schedule.at"]
    assert undefined_names(file.text) == ()
    (asked,) = engine.asked
    assert asked.label == f"code.{SCHEDULE}"
    assert asked.prefill.startswith('```python\n"""The schedule t_k."""')
    assert asked.stop == ("\n```",)


async def test_the_prompt_shows_specification_needs_and_what_may_be_imported() -> None:
    _, engine = await written("", path="train.py", attempts=1)
    same_as_snapshot("code.whole.train", engine.asked[0])
    assert "from cooling.schedule import Schedule" in engine.asked[0].prefill
    assert "Divide by the temperature of the last step." in engine.asked[0].user


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("\nHere is the file you asked for. It reads the config.\n", "does not compile"),
        (GOOD.replace("    def at", "    def at_step"), "does not define Schedule.at"),
        (
            GOOD.replace("        return self.start * math.exp(-step)", "        pass"),
            "the body of Schedule.at is pass",
        ),
        (
            GOOD.replace("        return self.start * math.exp(-step)", "        ..."),
            "the body of Schedule.at is empty",
        ),
        (GOOD.replace("class Schedule", "class Other"), "does not define Schedule.__init__"),
        ("", "empty"),
    ],
)
async def test_a_bad_file_is_asked_again_and_never_becomes_one(bad: str, reason: str) -> None:
    file, engine = await written(bad, GOOD)
    assert isinstance(file, SourceFile)
    assert len(engine.asked) == 2
    file, engine = await written(bad, attempts=2)
    assert isinstance(file, Unwritten)
    assert reason in file.reason
    assert len(engine.asked) == 2


async def test_a_file_that_is_cut_is_continued() -> None:
    half = GOOD.index("def at") + 20
    file, engine = await written((GOOD[:half], "length"), GOOD[half:])
    assert isinstance(file, SourceFile)
    assert file.text.rstrip().endswith("return self.start * math.exp(-step)")
    assert engine.asked[1].label == f"code.{SCHEDULE}+1"
    assert engine.asked[1].prefill.endswith(GOOD[:half])


async def test_the_entry_point_gets_its_command_line_once() -> None:
    plain = "\n\ndef main(config: dict) -> None:\n    print(config)\n"
    for body in (plain, plain + '\n\nif __name__ == "__main__":\n    main({})\n'):
        file, _ = await written(body, path="main.py")
        assert isinstance(file, SourceFile)
        assert file.text.count("__main__") == 1
        compile(file.text, "main.py", "exec", dont_inherit=True)
        assert undefined_names(file.text) == ()


async def test_a_file_with_a_fault_is_asked_again_whole_with_the_complaint() -> None:
    plan, specs, informed = await cooling.analysed(Answering(cooling.sensible))
    engine = Answering(lambda request: GOOD if "P2C201" in request.user else "")
    asker = cooling.asker(engine).knowing(informed.shared)
    before = SourceFile(path=SCHEDULE, text="import nothing\n")
    fault = Fault(path=SCHEDULE, unit=None, findings=(), complaint="- P2C201: no such module")
    again = await recode_file(before, plan, specs, (), asker, "file", fault, "repair1")
    assert isinstance(again, SourceFile)
    assert engine.labels() == [f"repair1.{SCHEDULE}"]
