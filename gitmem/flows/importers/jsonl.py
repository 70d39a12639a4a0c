"""JSON lines to memories: one object per line with the fields of a memory and ``body``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from gitmem.errors import ConfigError, InvalidMemoryError
from gitmem.flows.importers.found import Found, Options
from gitmem.memory import ids
from gitmem.memory.document import quote
from gitmem.memory.memory import FIELDS, LISTS, TIMES, Memory, is_id
from gitmem.memory.text import derive_title
from gitmem.memory.times import parse_time, to_unix_ms

ENDINGS = (".jsonl", ".ndjson")

_LINE_LIMIT = 8 << 20  # a memory of 1 MiB is at most six times as long in JSON
# A foreign object does not decide these: they say what this vault knows of a memory.
_OURS = frozenset(("id", "rev", "trust", "share"))


def read_file(path: str, options: Options, now: str) -> Iterator[Found]:
    """Each line of a file as an entry, as ``read_lines`` does.

    Raises:
        ConfigError: the file cannot be read.
    """
    try:
        with open(path, "rb") as file:
            yield from read_lines(file, options, now)
    except OSError as error:
        raise ConfigError(f"That file cannot be read: {error.strerror}.", "Nothing was imported.") from error


def read_lines(lines: Iterable[bytes], options: Options, now: str) -> Iterator[Found]:
    """Each line as an entry named ``line N``, but empty ones; ``now`` serves where ``created`` is missing."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        name = f"line {number}"
        try:
            value = _value(line)
            yield Found(name, _memory(value, options, now), own=_own(value))
        except InvalidMemoryError as error:
            yield Found(name, reason=error.message)


def _value(line: bytes) -> dict[str, Any]:
    if len(line) > _LINE_LIMIT:
        raise InvalidMemoryError("larger than 1 MiB")
    try:
        value = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InvalidMemoryError("not UTF-8 text") from error
    except (ValueError, RecursionError) as error:
        raise InvalidMemoryError("not JSON") from error
    if not isinstance(value, dict):
        raise InvalidMemoryError("not a JSON object")
    return value


def _own(value: dict[str, Any]) -> bool:
    return isinstance(value.get("id"), str) and is_id(value["id"])


def _memory(value: dict[str, Any], options: Options, now: str) -> Memory:
    own = _own(value)
    fields = {name: _field(name, value[name]) for name in (*FIELDS, "body") if value.get(name) is not None}
    fields.setdefault("body", "")
    fields["extra"] = _extra(value)
    if own:
        return Memory(**{"created": now, "trust": "import", **fields})
    fields = {name: field for name, field in fields.items() if name not in _OURS}
    fields["created"] = fields.get("created") or now
    fields["title"] = fields.get("title") or derive_title(fields["body"])
    fields["tags"] = tuple(dict.fromkeys((*options.tags, *fields.get("tags", ()))))
    fields["project"] = options.project or fields.get("project", "")
    return Memory(**fields, id=ids.new_id(to_unix_ms(fields["created"])), trust="import")


def _field(name: str, value: Any) -> Any:
    if name in LISTS:
        return _texts(name, value)
    wanted = {"rev": int, "importance": (int, float), "share": bool}.get(name, str)
    if not isinstance(value, wanted) or (isinstance(value, bool) and name != "share"):  # type: ignore[arg-type]
        raise InvalidMemoryError(f"the field '{name}' has a value of the wrong kind")
    if name in TIMES:
        return parse_time(value) if value else ""
    return value


def _texts(name: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,) if value else ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidMemoryError(f"the field '{name}' must be a list of texts")
    return tuple(value)


def _extra(value: dict[str, Any]) -> str:
    """Foreign front matter that an export wrote, and fields that gitmem does not know, as YAML."""
    lines = [value["extra"]] if isinstance(value.get("extra"), str) and value["extra"] else []
    foreign = {name: inner for name, inner in value.items() if name not in (*FIELDS, "body", "extra")}
    return "\n".join([*lines, *(f"{quote(name)}: {_yaml(inner)}" for name, inner in foreign.items())])


def _yaml(value: Any) -> str:
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_yaml, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{quote(name)}: {_yaml(inner)}' for name, inner in value.items())}}}"
    return json.dumps(value)
