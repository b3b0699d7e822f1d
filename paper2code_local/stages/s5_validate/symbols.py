"""Names and attributes that nobody defines, or not in time: P2C601 to P2C607.

In: how each file uses names, and what the names are. Out: findings. Must not know how that is found out.
"""

from __future__ import annotations

import builtins
import types
from collections import Counter
from collections.abc import Iterable, Iterator

from paper2code_local.artifacts.finding import Finding, Severity
from paper2code_local.source import CALL, Chain, Class, Place
from paper2code_local.stages.s5_validate.codes import finding
from paper2code_local.stages.s5_validate.nearest import Nearest
from paper2code_local.stages.s5_validate.receivers import Receivers
from paper2code_local.stages.s5_validate.things import AClass, AModule, AnInstance, Thing

_OF_EVERY_MODULE = frozenset(dir(types.ModuleType)) | {"__annotations__", "__builtins__", "__path__", "__file__"}
_PYTHON_2_NAMES = "basestring unicode long xrange raw_input unichr reduce file cmp execfile reload buffer apply intern"
_PYTHON_2 = frozenset(_PYTHON_2_NAMES.split())
_INJECTED_NAMES = (
    "__file__ __path__ __spec__ __loader__ __package__ __builtins__ __class__ __module__ __qualname__ __annotations__ "
    "__cached__ __dict__ __firstlineno__ __conditional_annotations__ __IPYTHON__ _ get_ipython display In Out profile "
    "reveal_type reveal_locals WindowsError exit quit copyright credits license help get_config snakemake dbutils "
    "spark __classdict__ __name__ __doc__ __debug__ __test__"
)
_INJECTED = frozenset(_INJECTED_NAMES.split())
"""Names that Python, a notebook, a profiler or a host program provides."""
_BUILTINS = frozenset(dir(builtins)) | _INJECTED
_TYPE = frozenset(dir(type))
_NEAR = 0.8
_LISTED = 300
"""Characters of the names that a hint lists, at most."""


class SymbolCheck:
    """Checks the names of one repository, file by file."""

    def __init__(self, receivers: Receivers, is_whole: bool) -> None:
        """`is_whole`: nobody else will derive from the classes, or make objects of them."""
        self._receivers, self._is_whole = receivers, is_whole
        self._nearest = Nearest()
        self._mentions: Counter[str] | None = None

    def check(self, path: str) -> Iterator[Finding]:
        """Yield the findings on the names and attributes that one file reads."""
        known = self._known(path)
        yield from self._undefined(path, known)
        yield from self._early(path, known)
        yield from self._endless(path)
        yield from self._covered(path)
        yield from self._lacking(path)

    def _known(self, path: str) -> frozenset[str] | None:
        """Return the names that a module may have without binding them; None when it may have any."""
        usage = self._receivers.usages[path]
        if usage.rebinds:
            return None
        known = _BUILTINS | self._receivers.stored_on_modules | usage.probed
        if path.endswith("__init__.py"):  # importing a submodule binds its name in the package
            known |= self._receivers.modules.children[path.rpartition("/")[0]]
        for module in self._receivers.imported_names(path):
            starred = self._receivers.modules.star_names(module) if module is not None else None
            if starred is None:
                return None
            known |= starred
        return known

    def _early(self, path: str, known: frozenset[str] | None) -> Iterator[Finding]:
        usage = self._receivers.usages[path]
        for name, line, in_module, _ in usage.early:
            if not in_module or (known is not None and name not in known):
                where = "the module" if in_module else "the function"
                hint = f"Bind `{name}` before this line, or read another name."
                message = f"`{name}` is read before {where} binds it."
                yield finding("P2C605", path, line, message, hint, about=(name,))
        for cls in usage.classes:
            for name, line, _, after_super in cls.early:
                if self._receivers.families.only_sets(cls, name, after_super) and not self._is_set_outside(name):
                    hint = f"Assign `self.{name}` before this line."
                    message = f"`self.{name}` is read before the constructor assigns it."
                    yield finding("P2C605", path, line, message, hint, about=("self", name))

    def _endless(self, path: str) -> Iterator[Finding]:
        severity: Severity = "error" if self._is_whole else "warning"  # elsewhere a callee may be known to end it all
        for scope in self._receivers.usages[path].scopes:
            for name, bindings in scope.bindings.items():
                function = bindings[0].function
                if function is None or function.endless is None or len(bindings) > 1:
                    continue
                chain, line = function.endless
                if scope.kind == "class" and (
                    len(chain) == 1 or scope.cls is None or self._may_differ(scope.cls, name)
                ):
                    continue
                if scope.kind == "class" or (len(chain) == 1 and name not in self._receivers.stored_on_modules):
                    message = f"`{'.'.join(chain)}` is called by `{name}` itself whenever it runs: that never ends."
                    hint = f"Compute the result in `{name}`, or call another function."
                    yield finding("P2C606", path, line, message, hint, severity, (".".join(chain),))

    def _covered(self, path: str) -> Iterator[Finding]:
        severity: Severity = "error" if self._is_whole else "warning"  # elsewhere the method may be meant to go
        for cls in self._receivers.usages[path].classes:
            for name, stores in cls.stores.items():
                own = cls.scope.bindings.get(name, [])
                method = own[0].function if len(own) == 1 else None
                data = [store for store in stores if store.kind == "data"]
                if method is None or not data or self._receivers.role(path, cls.scope, method.decorators) != "plain":
                    continue
                message = f"`self.{name}` is data here and hides the method `{name}` of `{cls.name}`."
                hint = f"Give the attribute another name than `{name}`."
                yield finding("P2C607", path, data[0].line, message, hint, severity, ("self", name))

    def _may_differ(self, cls: Class, name: str) -> bool:
        """Tell whether an object of the class may have another attribute of that name than its own method."""
        families = self._receivers.families
        others = [c for c in families.descendants(cls) if c is not cls and name in c.scope.bindings]
        stored = name in self._receivers.stored or families.stores(cls, name, False)
        return bool(others or stored or families.is_dynamic(cls, False))

    def _is_set_outside(self, name: str) -> bool:
        return name in self._receivers.stored or name in self._receivers.probed or self._receivers.opens_anything

    def _undefined(self, path: str, known: frozenset[str] | None) -> Iterator[Finding]:
        if known is None:
            return
        usage = self._receivers.usages[path]
        found: dict[str, Place] = {}
        for _, name, place in usage.names():
            if name not in known and (name not in found or _rank(place) < _rank(found[name])):
                found[name] = place
        for name, place in found.items():
            close = self._nearest.to(name, usage.module.bindings)
            hint = f"Did you mean `{close}`?" if close else f"Define `{name}` or import it."
            yield finding(
                "P2C601",
                path,
                place.line,
                f"`{name}` is used and defined nowhere.",
                hint,
                "warning" if place.doubtful or name in _PYTHON_2 else None,
                (name,),
            )

    def _lacking(self, path: str) -> Iterator[Finding]:
        reported: set[tuple[str, str]] = set()
        for scope, chain, place in self._receivers.usages[path].reads:
            for length in range(1, len(chain)):
                things = self._receivers.look(path, scope, chain[:length])
                if things is None:
                    break
                name = chain[length]
                if name == CALL or (severity := self._lack(things, name)) is None:
                    continue
                key = (".".join(chain[:length]), name)
                if key not in reported:
                    reported.add(key)
                    yield self._finding(path, chain[:length], things[0], name, place, severity)
                break

    def _lack(self, things: Iterable[Thing], name: str) -> Severity | None:
        """Return how sure it is that none of the things has an attribute; None when one may have it."""
        found: list[Severity | None] = [self._lacks(thing, name) for thing in things]
        if None in found:
            return None
        return "warning" if "warning" in found else "error"

    def _lacks(self, thing: Thing, name: str) -> Severity | None:
        receivers = self._receivers
        if name in receivers.probed or (name.startswith("__") and name.endswith("__")):
            return None
        if isinstance(thing, AModule):
            if name in receivers.stored or name in _OF_EVERY_MODULE or receivers.modules.provides(thing.module, name):
                return None
            return "error"
        if (
            not isinstance(thing, AClass | AnInstance)
            or name in receivers.stored
            or name.startswith("_" + thing.cls.name)
        ):
            return None
        attributes = receivers.families.attributes(thing.cls, thing.exact)
        has = name in attributes.names or (isinstance(thing, AClass) and name in _TYPE)
        if has and self._is_whole and receivers.families.only_declares(thing.cls, name, thing.exact):
            has = False
        if attributes.status == "anything" or has:
            return None
        family = receivers.families.descendants(thing.cls)
        made_here = self._is_whole or thing.exact or any(c.name in receivers.called for c in family)
        if attributes.status == "open" or not made_here:
            return "warning" if self._is_slip(name, thing) else None  # a mixin's objects are made elsewhere
        certain = attributes.status == "closed" or (attributes.status == "torch" and not name.startswith("_"))
        return "error" if certain and not receivers.opens_anything else "warning"

    def _is_slip(self, name: str, thing: AClass | AnInstance) -> bool:
        """Tell whether a name stands once in the repository and looks much like one that the class itself has."""
        if self._mentions is None:
            reads = (read for usage in self._receivers.usages.values() for read in usage.reads)
            self._mentions = Counter(step for _, chain, _ in reads for step in set(chain))
        if self._mentions[name] != 1 or len(name) < 5:
            return False
        own = {*thing.cls.stores, *thing.cls.scope.bindings}
        near = self._nearest.to(name, (n for n in own if n.startswith("_") == name.startswith("_")), _NEAR)
        return near is not None and abs(len(near) - len(name)) < 3

    def _finding(self, path: str, chain: Chain, thing: Thing, name: str, place: Place, severity: Severity) -> Finding:
        shown = chain[0] + "".join("(…)" if step == CALL else f".{step}" for step in chain[1:])
        known: Iterable[str] = ()
        if isinstance(thing, AModule):
            code = "P2C602"
            owner = thing.module.file or f"{thing.module.folder}/"
            known = (self._receivers.modules.names_of(thing.module.file) if thing.module.file else None) or ()
            message = f"`{shown}.{name}`: {owner} defines no `{name}`."
        elif isinstance(thing, AClass | AnInstance):
            code = "P2C603" if isinstance(thing, AnInstance) and not thing.exact else "P2C604"
            owner = f"`{thing.cls.name}`"
            known = [*thing.cls.stores, *thing.cls.scope.bindings]
            message = f"`{shown}.{name}`: {owner} has no attribute or method `{name}`."
        close = self._nearest.to(name, known)
        has = ", ".join(f"`{each}`" for each in sorted(set(known)) if not each.startswith("_"))
        use = f"use what it has: {has}" if 0 < len(has) < _LISTED else "use what it has"
        hint = f"Did you mean `{close}`?" if close else f"Define `{name}` in {owner}, or {use}."
        about = (shown, name, f"{thing.path}:{thing.cls.name}") if code == "P2C604" else (shown, name)  # type: ignore[union-attr]
        return finding(code, path, place.line, message, hint, "warning" if place.doubtful else severity, about)


def _rank(place: Place) -> tuple[bool, int]:
    return place.doubtful, place.line
