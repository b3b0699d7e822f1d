"""Memory and models: what of the catalogue fits this machine, and what of it is here and whole."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from paper2code_local.doctor.check import Check, Subject, failed, fine, warned
from paper2code_local.engine.hardware import Gpu, Hardware, available_memory
from paper2code_local.engine.sizing import ModelShape, Need, engine_args
from paper2code_local.errors import EngineError, ModelError
from paper2code_local.modelstore.card import ModelCard, Weights, cards, choose_default, find_card
from paper2code_local.modelstore.folder import ModelFolder, model_folder
from paper2code_local.modelstore.store import default_store, read_record, status, verify
from paper2code_local.session import shape_of
from paper2code_local.settings import budget, by_stage

GIB = 1 << 30
PAPER_TOKENS = 12_000
"""Of a conference paper with its appendix; what fits is told for it."""
HEADS = 8
"""Cards do not say how many attention heads there are; those of models too large for one GPU are a multiple of 8."""


def memory(subject: Subject) -> Iterator[Check]:
    """Check that the models of a run fit, and say how much of the catalogue does."""
    machine = _hardware(subject)
    where = f"{machine.memory / GIB:.1f} GiB free"
    if machine.gpus:
        where += f", and {sum(gpu.free for gpu in machine.gpus) / GIB:.1f} on the GPU(s)"
    usable = [card for card in cards() if _usable(card, machine)]
    fits = [card.id for card in usable if _why_not(card, machine) is None]
    reasons = [reason for spec in _used(subject) if (reason := _of(subject, spec, machine))]
    for reason in reasons:
        yield failed("memory", f"{where}; {reason.message}", f"export P2C_MODEL={fits[-1]}" if fits else reason.hint)
    if not reasons:
        largest = f", the largest is {fits[-1]}" if fits else ""
        plain = "" if machine.gpus else " in 16 bits"
        yield fine("memory", f"{where}; {len(fits)} of the catalogue's {len(cards())} models fit{plain}{largest}")


def _usable(card: ModelCard, machine: Hardware) -> tuple[Weights, ...]:
    """Return the precisions that this machine surely has kernels for: on the CPU, only the plain one."""
    return tuple(weights for weights in card.weights if machine.gpus or weights.precision == "bf16")


def _of(subject: Subject, spec: str, machine: Hardware) -> EngineError | None:
    """Say why a model does not fit; None when it does, and when it is not here (that is another line)."""
    if card := find_card(spec):
        return _why_not(card, machine)
    try:
        folder = _open(subject, spec)
    except ModelError:
        return None
    context, _ = budget(PAPER_TOKENS, folder.context, folder.answer_scale, folder.granularity == "file")
    return _too_small(machine, shape_of(folder), Need(context=context))


def _why_not(card: ModelCard, machine: Hardware) -> EngineError | None:
    """Say why a model of the catalogue does not fit, in the smallest precision that it has for this machine."""
    context, _ = budget(PAPER_TOKENS, card.context, card.answer_scale, card.granularity == "file")
    shape = ModelShape(
        id=card.id,
        weights=min(weights.bytes for weights in _usable(card, machine) or card.weights),
        kv_per_token=card.kv_bytes_per_token,
        context=card.context,
        heads=HEADS,
        kv_heads=HEADS,
    )
    return _too_small(machine, shape, Need(context=context))


def _too_small(machine: Hardware, shape: ModelShape, need: Need) -> EngineError | None:
    try:
        engine_args(machine, shape, need)
    except EngineError as error:
        return error
    return None


def _hardware(subject: Subject) -> Hardware:
    seen = enumerate(subject.nvidia.gpus)
    gpus = tuple(Gpu(name=each.name, device=str(i), free=each.free, total=each.total) for i, each in seen)
    return Hardware(memory=available_memory(subject.root), cores=1, gpus=gpus)


def models(subject: Subject) -> Iterator[Check]:
    """Check the models that a run would use, and what else is here."""
    store, used = default_store(subject.environ), _used(subject)
    for spec in used:
        yield _model(subject, spec, "" if subject.model else ", used when none is named")
    pulled_partly = {card.id for card in cards() if status(card.id, store).state == "partial"}
    for spec in sorted({*store.ids(), *pulled_partly} - {*used}):
        yield _model(subject, spec, "")


def _used(subject: Subject) -> tuple[str, ...]:
    """Return the models that a run would use: those named, or the default of this machine."""
    default = choose_default(available_memory(subject.root)).id
    return tuple(dict.fromkeys(spec or default for spec in by_stage(subject.model, "--model").values()))


def _model(subject: Subject, spec: str, remark: str) -> Check:
    store = default_store(subject.environ)
    try:
        folder = _open(subject, spec)
    except ModelError as error:
        named = store.find(spec) if "/" not in spec else None
        remedy = {
            "model.not_pulled": error.hint.replace("p2c-local", subject.p2c, 1),
            "model.damaged": _again(subject, named, spec) if named else error.hint,
        }
        say = failed if spec in _used(subject) else warned
        return say("model", f"{error.message}{remark}", remedy.get(error.code, error.hint))
    said = f"{folder.id}{remark}: {folder.weights_bytes / GIB:.1f} GiB in {folder.path}"
    if read_record(folder.path) is None:
        return fine("model", f"{said}, with no digests to compare")
    return _hashed(subject, folder, said) if subject.deep else fine("model", f"{said}, sizes as recorded")


def _open(subject: Subject, spec: str) -> ModelFolder:
    """Open a model. The first time that a folder of the user's is looked at, it is hashed, as for a run."""
    said: list[int] = []

    def hashing(_done: int, total: int) -> None:
        if not said:
            subject.note(f"hashing {spec} ({total / GIB:.1f} GiB), this once")
        said.append(total)

    return model_folder(spec, default_store(subject.environ), hashing=hashing)


def _hashed(subject: Subject, folder: ModelFolder, said: str) -> Check:
    subject.note(f"hashing {folder.id} ({folder.weights_bytes / GIB:.1f} GiB)")
    if problems := verify(folder.path):
        return failed("model", f"{said}: {'; '.join(problems)}", _again(subject, folder.path, folder.id))
    return fine("model", f"{said}, every sha256 as recorded")


def _again(subject: Subject, folder: Path, model_id: str) -> str:
    return f"rm -r {shlex.quote(str(folder))} && {subject.p2c} models pull {model_id}"
