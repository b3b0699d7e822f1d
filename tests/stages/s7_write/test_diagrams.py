"""The diagrams keep to a grammar that is stricter than Mermaid's, whatever the plan holds."""

from __future__ import annotations

import re
from keyword import iskeyword

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paper2code_local.artifacts.plan import Attribute, Call, ClassPlan, FilePlan, FunctionPlan, Plan, Relation
from paper2code_local.stages.s7_write.diagrams import ARROWS, class_diagram, sequence_diagram
from tests.stages.s7_write.small_repository import PLAN

ID = r"(?!(?:class|end|note|namespace|direction|link|click|style|callback|href|call|default)\b)[A-Za-z_]\w*"
TEXT = r"[A-Za-z0-9_.,~: *]"
CLASS_LINE = re.compile(
    rf"""    class\ {ID}(\["[A-Za-z0-9_./]+"\])?(\ \{{)?
    |\ {{8}}<<[A-Za-z0-9_., ]+>>
    |\ {{8}}[+-](?!\ ){TEXT}+(\({TEXT}*\))?{TEXT}*
    |\ {{4}}\}}
    |\ {{4}}{ID}\ (<\|--|\*--|o--|-->|\.\.>)\ {ID}""".replace("    class", r"\ {4}class"),
    re.VERBOSE | re.ASCII,
)
SEQUENCE_LINE = re.compile(
    r"    participant p\d+ as [a-z0-9_/]+\.py|    p\d+->>p\d+: [A-Za-z0-9_.]+\([A-Za-z0-9_.,* ]*\)", re.ASCII
)
names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,6}", fullmatch=True).filter(
    lambda n: not iskeyword(n)
) | st.sampled_from(
    ["end", "note", "Foo", "Foo_", "namespace", "constructor", "__proto__", "direction", "LR", "main_py"]
)
annotations = st.sampled_from(
    [
        "int",
        "dict[str, list[int]]",
        "Callable[[int], 'a}|b']",
        "'{%%#;'",
        "x[1:2]",
        "int | None",
        "(lambda: 0)",
        "...",
        "f()",
    ]
)


@st.composite
def functions(draw: st.DrawFn, method: bool) -> FunctionPlan:
    found = draw(st.lists(names.filter(lambda n: n not in ("class", "None", "self")), max_size=11, unique=True))
    kinds = ["" if draw(st.booleans()) else f": {draw(annotations)}" for _ in found]
    star = draw(st.sampled_from(["", "*args", "**kwargs", "*, k=3", "*args: int, **kw: dict[str, int]"]))
    listed = ", ".join([*(["self"] if method else []), *(n + "_" + k for n, k in zip(found, kinds, strict=True)), star])
    name = draw(names) + "_"
    return FunctionPlan(signature=f"def {name}({listed.rstrip(', ')}) -> {draw(annotations)}", purpose="x")


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    files, calls = [], []
    for path in ("model.py", "data/end.py", "main.py"):
        classes = [
            ClassPlan(
                name=name,
                base=draw(st.sampled_from(["", "Foo", "nn.Module", "a.b.C"])),
                purpose="",
                attributes=tuple(Attribute(name=n, type=draw(annotations)) for n in draw(st.lists(names, max_size=2))),
                methods=tuple(draw(st.lists(functions(True), max_size=2, unique_by=lambda f: f.name))),
            )
            for name in draw(st.lists(names, max_size=3, unique=True))
        ]
        own = draw(st.lists(functions(False), max_size=2, unique_by=lambda f: f.name))
        own = [f for f in own if f.name not in {c.name for c in classes}]
        files.append(FilePlan(path=path, purpose="", needs=(), classes=tuple(classes), functions=tuple(own)))
        calls += [Call(caller="main.py", callee=path, definition=f.name) for f in own]
        calls += [
            Call(caller="model.py", callee=path, definition=f"{c.name}.{m.name}") for c in classes for m in c.methods
        ]
    known = [c.name for f in files for c in f.classes]
    kinds = st.sampled_from(list(ARROWS))
    pairs = st.tuples(st.sampled_from(known), st.sampled_from(known), kinds) if known else st.nothing()
    relations = draw(st.lists(pairs, max_size=4)) if known else []
    return PLAN.model_validate(
        PLAN.model_dump()
        | {
            "files": files,
            "calls": draw(st.permutations(calls)),
            "relations": [Relation(source=a, target=b, kind=k) for a, b, k in relations],
        }
    )


@pytest.mark.thorough
@settings(max_examples=60, deadline=None)
@given(plans())
def test_every_line_keeps_to_the_grammar(plan: Plan) -> None:
    first, *lines = class_diagram(plan).splitlines()
    assert first == "classDiagram"
    assert [line for line in lines if not CLASS_LINE.fullmatch(line)] == []
    assert sum(line.endswith("{") for line in lines) == lines.count("    }")
    assert all(line.count("~") % 2 == 0 for line in lines)
    first, *lines = sequence_diagram(plan).splitlines()
    assert first == "sequenceDiagram"
    assert lines
    assert [line for line in lines if not SEQUENCE_LINE.fullmatch(line)] == []


@pytest.mark.thorough
@settings(max_examples=40, deadline=None)
@given(plans())
def test_every_class_has_a_box_of_its_own_and_every_edge_joins_boxes(plan: Plan) -> None:
    lines = class_diagram(plan).splitlines()
    boxes = [found[1] for line in lines if (found := re.match(r"    class (\w+)", line))]
    assert len(boxes) == len(set(boxes))
    assert len(boxes) >= sum(len(f.classes) for f in plan.files)
    edges = [line.split() for line in lines if re.search(r" (<\|--|\*--|o--|-->|\.\.>) ", line)]
    assert {end for a, _, b in edges for end in (a, b)} <= set(boxes)
    assert len(edges) == len({tuple(edge) for edge in edges})


def test_the_arrows_say_what_is_meant() -> None:
    lines = class_diagram(PLAN).splitlines()
    assert "    Smoother <|-- HalfSmoother" in lines, "a base is an inheritance even when no relation says so"
    assert "    HalfSmoother *-- Smoother" in lines
    for kind, line in {
        "inheritance": "    Smoother <|-- HalfSmoother",
        "aggregation": "    HalfSmoother o-- Smoother",
        "association": "    HalfSmoother --> Smoother",
        "dependency": "    HalfSmoother ..> Smoother",
    }.items():
        relation = Relation.model_validate({"source": "HalfSmoother", "target": "Smoother", "kind": kind})
        assert line in class_diagram(PLAN.model_copy(update={"relations": (relation,)})).splitlines()


def test_attributes_methods_and_modules_are_drawn_with_their_types() -> None:
    text = class_diagram(PLAN)
    assert "    class Smoother {\n        <<nn.Module>>\n        +dict~str, float~ weights\n" in text
    assert "        +forward(x: torch.Tensor, names: dict~str, list~int~~ or None) torch.Tensor\n" in text
    assert (
        '    class main_py["main.py"] {\n        <<module>>\n        +main(config: dict~str, Any~) None\n    }\n'
        in text
    )


def test_calls_are_drawn_in_time_order_between_the_files() -> None:
    assert sequence_diagram(PLAN).splitlines()[1:] == [
        "    participant p1 as main.py",
        "    participant p2 as data/loader.py",
        "    participant p3 as model.py",
        "    p1->>p2: load(path)",
        "    p1->>p3: Smoother.forward(x, names)",
    ]
