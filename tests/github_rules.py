"""GitHub's own rules, read from what it publishes: its OpenAPI description and its GraphQL schema.

They judge every request and every answer of the stand-in, and lend the answers the fields that nobody set.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from openapi_schema_validator import OAS30Validator

import parts

# What GitHub publishes, from the npm packages @octokit/openapi and @octokit/graphql-schema; .ci/run gets it.
FOLDER = Path(
    os.environ.get("GITMEM_TEST_GITHUB")
    or Path(__file__).resolve().parent.parent / ".ci" / "parts" / "github"
)
_ANY_TIME = {401, 403, 404, 429, 500, 502, 503}  # any request may end so; GitHub does not list them each time
_DEPTH = 12


def needed() -> None:
    """Skip the running test where what GitHub publishes is not here: nothing could be judged."""
    for name in ("api.github.com.json", "schema.graphql"):
        if not (FOLDER / name).is_file():
            parts.missing("github-api", f"GitHub's {name} is not here; .ci/fetch gets it")


@cache
def _document() -> dict[str, Any]:
    whole = FOLDER / "api.github.com.json"
    cut = Path(parts.DATA or "/nowhere") / "github-api" / "openapi-slice.json"
    for path in (whole, cut):
        if path.is_file():
            return dict(json.loads(path.read_text(encoding="utf-8")))
    parts.missing("github-api", "GitHub's OpenAPI description is not here; .ci/run fetches it")
    raise AssertionError


@cache
def _schema() -> Any:
    from graphql import build_schema  # a second and a half: only for tests that ask GraphQL

    path = FOLDER / "schema.graphql"
    return build_schema(path.read_text(encoding="utf-8"), assume_valid=True) if path.is_file() else None


def resolve(node: Any) -> Any:
    """What a node of the description stands for, its references followed."""
    while isinstance(node, dict) and "$ref" in node:
        target: Any = _document()
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step.replace("~1", "/").replace("~0", "~")]
        node = target
    return node


@cache
def _paths() -> list[tuple[re.Pattern[str], str]]:
    # The path with fewest variables wins: /actions/workflows/{id} must not catch what has a name of its own.
    def pattern(path: str) -> re.Pattern[str]:
        free = re.sub(r"\\\{(path|ref)\\\}", ".+", re.escape(path))
        return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", free))

    ordered = sorted(_document()["paths"], key=lambda path: path.count("{"))
    return [(pattern(path), path) for path in ordered]


@dataclass(frozen=True, slots=True)
class Operation:
    """One entry of the description: its path and what it says."""

    path: str
    verb: str
    says: Mapping[str, Any]

    def answer_schema(self, status: int) -> Any:
        """The schema of the JSON that this operation answers with; None where it answers with nothing."""
        answer = resolve(self.says["responses"].get(str(status), {}))
        return answer.get("content", {}).get("application/json", {}).get("schema")


def operation(verb: str, path: str) -> Operation | None:
    """The operation that a request means; None for one that GitHub does not have."""
    for pattern, template in _paths():
        if pattern.fullmatch(path):
            says = _document()["paths"][template].get(verb.lower())
            if says:
                return Operation(template, verb, says)
    return None


def faults(schema: Any, value: Any, where: str) -> Iterator[str]:
    """What is wrong with ``value`` by that schema."""
    whole = {**schema, "components": _document()["components"]}
    for error in OAS30Validator(whole).iter_errors(value):
        if error.validator == "enum" and error.instance is None and error.schema.get("nullable"):
            continue  # GitHub leaves null out of the lists of what it calls nullable, and answers it
        yield f"{where}{error.json_path[1:]}: {error.message[:200]}"


def request_faults(found: Operation, query: str, body: Any) -> Iterator[str]:
    """What GitHub's description does not allow in this request."""
    known = {one["name"] for one in map(resolve, found.says.get("parameters", ())) if one["in"] == "query"}
    where = f"{found.verb} {found.path}"
    yield from (f"{where}: no parameter {name!r}" for name, _ in parse_qsl(query) if name not in known)
    wanted = resolve(found.says.get("requestBody"))
    if wanted is None or body is None:
        if body is not None:
            yield f"{where}: it takes no body"
        elif wanted is not None and wanted.get("required"):
            yield f"{where}: it needs a body"
        return
    schema = wanted["content"]["application/json"]["schema"]
    yield from faults(schema, body, f"{where} body")
    fields = _fields(schema)
    if fields and isinstance(body, dict):
        yield from (f"{where} body: no field {name!r}" for name in body if name not in fields)


def answer_faults(found: Operation, status: int, body: Any) -> Iterator[str]:
    """What GitHub would not answer so."""
    where = f"{found.verb} {found.path} -> {status}"
    if str(status) not in found.says["responses"]:
        if status not in _ANY_TIME:
            yield f"{where}: GitHub does not answer with that status"
        return
    schema = found.answer_schema(status)
    if schema is None:
        if body is not None:
            yield f"{where}: GitHub answers with nothing"
        return
    yield from faults(schema, body, where)


def _fields(schema: Any) -> set[str]:
    schema = resolve(schema)
    if schema.get("additionalProperties"):
        return set()
    found = set(schema.get("properties", {}))
    for group in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(group, ()):
            found |= _fields(part)
    return found


def shaped(schema: Any, values: Any, base: str, depth: int = 0) -> Any:
    """``values`` with every field that the schema requires: answers have dozens that we never read."""
    schema = resolve(schema)
    choices = [] if "properties" in schema else schema.get("oneOf") or schema.get("anyOf") or []
    for choice in choices:
        made = shaped(choice, values, base, depth + 1)
        if choice is choices[-1] or not list(faults(schema, made, "")):
            return made
    schema = _merged(schema)
    if isinstance(values, list):
        return [shaped(schema.get("items", {}), one, base, depth + 1) for one in values]
    if values is not None and not isinstance(values, dict):
        return values
    if schema.get("type") == "object" or "properties" in schema or isinstance(values, dict):
        return _object(schema, values or {}, base, depth)
    return _plain(schema, base)


def _object(schema: Any, values: dict[str, Any], base: str, depth: int) -> dict[str, Any]:
    properties = schema.get("properties", {})
    made = {name: None if value is None else shaped(properties.get(name, {}), value, base, depth + 1)
            for name, value in values.items()}  # fmt: skip
    for name in schema.get("required", ()):
        if name not in made:
            inner = resolve(properties.get(name, {}))
            empty = inner.get("nullable") or depth > _DEPTH
            made[name] = None if empty else shaped(inner, None, base, depth + 1)
    return made


def _merged(schema: Any) -> Any:
    if "allOf" in schema:
        whole: dict[str, Any] = {"type": "object", "properties": {}, "required": []}
        for part in [schema, *map(resolve, schema["allOf"])]:
            whole["properties"].update(part.get("properties", {}))
            whole["required"] += part.get("required", [])
        return whole
    return schema


def _plain(schema: Any, base: str) -> Any:
    if schema.get("nullable"):
        return None
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "string":
        texts = {"uri": f"{base}/api/v3", "date-time": "2026-11-20T07:00:00Z"}
        return texts.get(schema.get("format", ""), "")
    return {"integer": 0, "number": 0, "boolean": False, "array": []}.get(str(kind))


@dataclass(slots=True)
class Judge:
    """What was wrong so far, and what could not be judged."""

    wrong: list[str] = field(default_factory=list)
    unjudged: list[str] = field(default_factory=list)

    def verdict(self) -> None:
        """End the test: failed if a rule was broken, skipped where a rule is not on this machine."""
        assert not self.wrong, "not as GitHub's own schema has it:\n" + "\n".join(dict.fromkeys(self.wrong))
        if self.unjudged:
            parts.missing("github-api", f"no schema here for {self.unjudged[0]}; .ci/run fetches it")


def ask_graphql(judge: Judge, root: Any, query: str, variables: dict[str, Any]) -> dict[str, Any]:
    """Execute one GraphQL operation by GitHub's schema over ``root``; an operation it refuses is noted."""
    schema = _schema()
    if schema is None:
        judge.unjudged.append("GraphQL")
        return {"data": None, "errors": [{"message": "no schema here"}]}
    from graphql import GraphQLError, graphql_sync, parse, validate

    try:
        wrong = [error.message for error in validate(schema, parse(query))]
    except GraphQLError as error:
        wrong = [error.message]
    if wrong:
        judge.wrong += [f"GraphQL: {message}" for message in wrong]
        return {"errors": [{"message": message} for message in wrong]}
    done = graphql_sync(schema, query, root_value=root, variable_values=variables)
    answer: dict[str, Any] = {"data": done.data}
    if done.errors:
        answer["errors"] = [_told(judge, error) for error in done.errors]
    return answer


def _told(judge: Judge, error: Any) -> dict[str, Any]:
    kind = (error.extensions or {}).get("type")
    if not kind:  # a variable of the wrong type, or a field that the stand-in does not know
        judge.wrong.append(f"GraphQL: {error.message}")
    found = {"message": error.message, "path": error.path, "type": kind}
    return {name: value for name, value in found.items() if value is not None}
