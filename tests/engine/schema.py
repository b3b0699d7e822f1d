"""Does a text obey one of our JSON schemas? For tests that must run without the engine's libraries."""

from __future__ import annotations

import json
import re
from typing import Any

from pydantic import JsonValue

KINDS: dict[str, type] = {"object": dict, "array": list, "string": str, "boolean": bool}


def problem(schema: dict[str, JsonValue], text: str) -> str:
    """Return where `text` breaks `schema`, or ""."""
    try:
        value = json.loads(text)
    except ValueError as error:
        return f"no JSON: {error}"
    return _problem(schema, value, schema.get("$defs", {}), "answer")


def _problem(schema: Any, value: Any, definitions: Any, at: str) -> str:
    if "$ref" in schema:
        return _problem(definitions[schema["$ref"].rsplit("/", 1)[1]], value, definitions, at)
    if "anyOf" in schema:
        tried = [_problem(part, value, definitions, at) for part in schema["anyOf"]]
        return "" if "" in tried else tried[0]
    if not isinstance(value, KINDS[schema["type"]]):
        return f"{at} is no {schema['type']}"
    if value not in schema.get("enum", [value]) or value != schema.get("const", value):
        return f"{at} is none of the choices"
    inner: list[tuple[Any, Any, str]] = []
    match value:
        case dict():
            if set(value) != set(schema["required"]):
                return f"{at} has {sorted(value)}"
            inner = [(schema["properties"][name], part, f"{at}.{name}") for name, part in value.items()]
        case list():
            if not schema.get("minItems", 0) <= len(value) <= schema["maxItems"]:
                return f"{at} has {len(value)} items"
            inner = [(schema["items"], part, f"{at}[{i}]") for i, part in enumerate(value)]
        case str():
            if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
                return f"{at} has {len(value)} characters"
            return "" if re.search(schema.get("pattern", ""), value) else f"{at} does not match: {value}"
    return next((found for part, said, where in inner if (found := _problem(part, said, definitions, where))), "")
