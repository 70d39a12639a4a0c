"""GitHub's expression language, as far as workflow files use it: `${{ … }}` and `if:`.

Values follow the published rules: strings compare without regard to case, `&&` and `||` give one of their
sides, what is missing is null, and a context that GitHub does not offer at that place is an error.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_TOKENS = re.compile(
    r"\s*(?:(?P<number>-?(?:0x[0-9a-fA-F]+|\d+(?:\.\d+)?))|'(?P<text>(?:[^']|'')*)'"
    r"|(?P<name>[A-Za-z_][\w-]*)|(?P<mark>&&|\|\||==|!=|<=|>=|[!<>()\[\],.*]))"
)
_STATUS = {"success", "failure", "always", "cancelled"}


class BadExpressionError(Exception):
    """GitHub would refuse the workflow file."""


@dataclass(slots=True)
class Scope:
    """What an expression may see: the contexts offered at its place, and the state of the job."""

    contexts: Mapping[str, Any]
    failed: bool = False
    asked_status: bool = False


def evaluate(text: str, scope: Scope) -> Any:
    """The value of an expression, without its `${{ }}`."""
    parser = _Parser(list(_tokens(text)), scope)
    value = parser.either()
    if parser.left:
        raise BadExpressionError(f"unexpected {parser.left[0]} in {text}")
    return value


def holds(condition: Any, scope: Scope) -> bool:
    """Whether an `if:` lets its job or step run; without a status function it means `success() && …`."""
    if condition is None:
        return not scope.failed
    text = str(condition).lower() if isinstance(condition, bool) else str(condition).strip()
    whole = re.fullmatch(r"\$\{\{(.*)\}\}", text, re.DOTALL)
    value = evaluate(whole[1] if whole else text, scope)
    return truth(value) and (scope.asked_status or not scope.failed)


def filled(text: str, scope: Scope) -> str:
    """A string of the workflow file with every `${{ }}` replaced by its value."""
    return re.sub(r"\$\{\{(.*?)\}\}", lambda found: words(evaluate(found[1], scope)), text, flags=re.DOTALL)


def truth(value: Any) -> bool:
    """What counts as true."""
    return bool(value) and not (isinstance(value, float) and math.isnan(value))


def words(value: Any) -> str:
    """A value as text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value == int(value) else repr(value)
    return value if isinstance(value, str) else "Object" if isinstance(value, Mapping) else "Array"


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    text = text.rstrip()
    while at < len(text):
        found = _TOKENS.match(text, at)
        if not found or found.lastgroup is None:
            raise BadExpressionError(f"cannot read {text[at:]!r}")
        yield found.lastgroup, found[found.lastgroup]
        at = found.end()


def _number(value: Any) -> float:
    if value is None:
        return 0.0
    if isinstance(value, bool | int | float):
        return float(value)
    if isinstance(value, str):
        try:
            return float(value.strip() or 0)
        except ValueError:
            return math.nan
    return math.nan


def _equal(one: Any, two: Any) -> bool:
    if isinstance(one, str) and isinstance(two, str):
        return one.casefold() == two.casefold()
    if type(one) is type(two):
        return bool(one == two)
    return _number(one) == _number(two)


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": _equal,
    "!=": lambda one, two: not _equal(one, two),
    "<": lambda one, two: _number(one) < _number(two),
    ">": lambda one, two: _number(one) > _number(two),
    "<=": lambda one, two: _number(one) <= _number(two),
    ">=": lambda one, two: _number(one) >= _number(two),
}


def _contains(where: Any, what: Any) -> bool:
    if isinstance(where, list):
        return any(_equal(one, what) for one in where)
    return words(what).casefold() in words(where).casefold()


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "contains": _contains,
    "startswith": lambda text, start: words(text).casefold().startswith(words(start).casefold()),
    "endswith": lambda text, end: words(text).casefold().endswith(words(end).casefold()),
    "format": lambda text, *values: re.sub(r"\{(\d+)\}", lambda found: words(values[int(found[1])]), text),
    "join": lambda values, mark=",": mark.join(map(words, values)),
    "tojson": lambda value: json.dumps(value, indent=2),
    "fromjson": json.loads,
}


class _Parser:
    """Recursive descent; evaluates as it reads, since no function here has an effect."""

    def __init__(self, tokens: list[tuple[str, str]], scope: Scope) -> None:
        self.left = tokens
        self.scope = scope

    def _next(self, *marks: str) -> str:
        if self.left and self.left[0][0] == "mark" and self.left[0][1] in marks:
            return self.left.pop(0)[1]
        return ""

    def _need(self, mark: str) -> None:
        if not self._next(mark):
            raise BadExpressionError(f"{mark} is missing")

    def either(self) -> Any:
        value = self._both()
        while self._next("||"):
            other = self._both()
            value = value if truth(value) else other
        return value

    def _both(self) -> Any:
        value = self._compared()
        while self._next("&&"):
            other = self._compared()
            value = other if truth(value) else value
        return value

    def _compared(self) -> Any:
        value = self._single()
        while mark := self._next(*_COMPARE):
            value = _COMPARE[mark](value, self._single())
        return value

    def _single(self) -> Any:
        if self._next("!"):
            return not truth(self._single())
        if self._next("("):
            value = self.either()
            self._need(")")
            return self._members(value)
        if not self.left:
            raise BadExpressionError("the expression ends too early")
        kind, text = self.left.pop(0)
        if kind == "text":
            return text.replace("''", "'")
        if kind == "number":
            return float(int(text, 16)) if "0x" in text else float(text)
        if kind != "name":
            raise BadExpressionError(f"unexpected {text}")
        return self._members(self._named(text))

    def _named(self, name: str) -> Any:
        low = name.lower()
        if low in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[low]
        if self._next("("):
            return self._called(low)
        if low not in self.scope.contexts:
            raise BadExpressionError(f"the context {name} is not offered here")
        return self.scope.contexts[low]

    def _called(self, name: str) -> Any:
        values = []
        while not self._next(")"):
            values.append(self.either())
            self._next(",")
        if name in _STATUS:
            self.scope.asked_status = True
            return {"success": not self.scope.failed, "failure": self.scope.failed, "always": True}.get(
                name, False
            )
        if name not in _FUNCTIONS:
            raise BadExpressionError(f"there is no function {name}")
        return _FUNCTIONS[name](*values)

    def _members(self, value: Any) -> Any:
        while mark := self._next(".", "["):
            if mark == "[":
                key = self.either()
                self._need("]")
                value = _member(value, key)
            elif self._next("*"):
                value = list(value.values()) if isinstance(value, Mapping) else list(value or ())
            else:
                value = _member(value, self.left.pop(0)[1])
        return value


def _member(value: Any, key: Any) -> Any:
    if isinstance(value, list):
        if isinstance(key, str):  # after `.*`: the members of each
            return [found for one in value if (found := _member(one, key)) is not None]
        return value[int(key)] if 0 <= int(key) < len(value) else None
    if isinstance(value, Mapping):
        return next((found for name, found in value.items() if _equal(name, words(key))), None)
    return None
