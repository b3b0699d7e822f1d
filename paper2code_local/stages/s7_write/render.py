"""Everything that goes into the folder, as bytes.

In: the validated repository and what it came from. Out: path → content, the same for the same input: no dates, nothing
of this machine. Must not know where it will be written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from paper2code_local.artifacts.finding import Finding, errors_of
from paper2code_local.artifacts.paper import Paper
from paper2code_local.artifacts.plan import ClassPlan, FilePlan, FunctionPlan, Plan
from paper2code_local.artifacts.provenance import Provenance
from paper2code_local.artifacts.repair import RepairReport
from paper2code_local.artifacts.repo import ValidatedRepo
from paper2code_local.artifacts.smoke import SmokeReport
from paper2code_local.artifacts.spec import FileSpec
from paper2code_local.asking import render
from paper2code_local.stages.s7_write.config_file import config_yaml, origin, section_name
from paper2code_local.stages.s7_write.diagrams import class_diagram, sequence_diagram
from paper2code_local.stages.s7_write.escaping import code, escaped, one_line
from paper2code_local.stages.s7_write.proof import validation
from paper2code_local.stages.s7_write.requirements import Requirement, requirements

_PACKAGE = "paper2code_local.stages.s7_write"


def render_repository(
    repo: ValidatedRepo,
    plan: Plan,
    specs: tuple[FileSpec, ...],
    paper: Paper,
    cut: tuple[str, ...],
    findings: tuple[Finding, ...],
    provenance: Provenance,
    report: RepairReport,
    smoke: SmokeReport | str,
) -> dict[str, bytes]:
    """Render every file of the repository: the code and all that stands around it.

    `cut` says which parts of the paper the model did not see; `findings` are those that the repository does not carry
    itself, e.g. of planning. `smoke` is what came of importing it, or why that was not tried.
    """
    source = {file.path: file.text for file in repo.files}
    all_findings = tuple(dict.fromkeys((*repo.findings, *findings)))
    needed = requirements(source)
    texts = {
        **surroundings(source, plan, paper),
        "README.md": _readme(repo, plan, paper, all_findings, provenance),
        "docs/architecture.md": _architecture(plan, specs, paper),
        "REPRODUCTION_NOTES.md": _notes(repo, plan, paper, cut, all_findings, needed),
        "VALIDATION.md": validation(repo, report, smoke),
        "reproduce.sh": _page("reproduce.sh.j2"),
        ".gitignore": _page("gitignore.j2"),
    }
    packages = {f"{folder}/__init__.py": "" for path in source for folder in PurePosixPath(path).parents if folder.name}
    return {path: text.encode() for path, text in sorted((packages | source | texts).items())}


def surroundings(source: Mapping[str, str], plan: Plan, paper: Paper) -> dict[str, str]:
    """Return the files that the code relies on: the settings that it reads and the packages that it imports."""
    return {
        "config.yaml": config_yaml(plan.config, paper),
        "requirements.txt": _page("requirements.txt.j2", requirements=requirements(source)),
    }


def _readme(
    repo: ValidatedRepo, plan: Plan, paper: Paper, findings: tuple[Finding, ...], provenance: Provenance
) -> str:
    errors = len(errors_of(findings))
    return _page(
        "README.md.j2",
        plan=plan,
        paper=paper,
        rests={file.path: _rests_on(file, paper) for file in plan.files},
        errors=errors,
        warnings=len(findings) - errors,
        stubs=len(repo.stubbed_files) + len(repo.stubbed_names),
        provenance=provenance,
    )


def _architecture(plan: Plan, specs: tuple[FileSpec, ...], paper: Paper) -> str:
    return _page(
        "architecture.md.j2",
        plan=plan,
        specs={spec.path: spec for spec in specs},
        class_diagram=class_diagram(plan),
        sequence_diagram=sequence_diagram(plan),
        interface=_interface,
        place=lambda source: _place(source, paper),
    )


def _notes(
    repo: ValidatedRepo,
    plan: Plan,
    paper: Paper,
    cut: tuple[str, ...],
    findings: tuple[Finding, ...],
    needed: tuple[Requirement, ...],
) -> str:
    return _page(
        "REPRODUCTION_NOTES.md.j2",
        repo=repo,
        plan=plan,
        paper=paper,
        cut=cut,
        findings=findings,
        uncertain=[(value, origin(value, paper)) for value in plan.config if value.origin != "traced"],
        unknown=[requirement.distribution for requirement in needed if not requirement.known],
    )


def _page(template: str, **values: object) -> str:
    """Render a template; in it `md` and `code` make text safe for Markdown: what is not ours passes one of them."""
    return render(_PACKAGE, template, md=escaped, code=code, **values).strip() + "\n"


def _rests_on(file: FilePlan, paper: Paper) -> str:
    """Say what a file rests on: "section 3.1 Mixing; equation (2)"."""
    return "; ".join(_place(source, paper) for source in (*file.sections, *file.formulas))


def _place(source: str, paper: Paper) -> str:
    """Name a section or formula of the paper as a reader finds it there, by its id; "" stays ""."""
    formula = next((f for f in paper.formulas() if f.id == source), None)
    if formula:
        return f"equation {one_line(formula.label) or f'{formula.id} (unnumbered)'}"
    return section_name(source, paper) if source else ""


def _interface(file: FilePlan) -> str:
    """Return the planned interface of a file as lines of Python, none of which can end the block that it stands in."""
    lines: list[str] = []
    for planned in file.classes:
        lines += [*_class_lines(planned), ""]
    return "\n".join([*lines, *_function_lines(file.functions, "")]).rstrip()


def _class_lines(planned: ClassPlan) -> list[str]:
    base = f"({one_line(planned.base)})" if planned.base else ""
    attributes = [f"    {a.name}: {one_line(a.type)}" for a in planned.attributes]
    return [
        f"class {planned.name}{base}:  # {one_line(planned.purpose)}",
        *attributes,
        *_function_lines(planned.methods, "    "),
    ]


def _function_lines(functions: Sequence[FunctionPlan], indent: str) -> list[str]:
    return [f"{indent}{one_line(f.signature)}  # {one_line(f.purpose)}" for f in functions]
