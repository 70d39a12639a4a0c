"""What the Messages API refuses: the rules that the stand-in holds a request against, as sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

VERSION = "2026-10-21"
FIELDS = {
    "model", "max_tokens", "messages", "system", "output_config", "thinking", "stream", "stop_sequences",
    "tools", "tool_choice", "cache_control", "metadata", "service_tier",
}  # fmt: skip
COUNTED = FIELDS - {"max_tokens", "stream", "stop_sequences", "metadata", "service_tier"}
EFFORTS = {"low", "medium", "high", "xhigh", "max"}
FORMATS = {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
KEYWORDS = {
    "type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf", "allOf",
    "$ref", "$defs", "description", "title", "format", "minItems", "default", "pattern",
}  # fmt: skip
KEPT = {("ephemeral", "5m"), ("ephemeral", "1h")}
OPTIONAL = 24
UNIONS = 16


def refusals(headers: Mapping[str, str], body: Any, *, counting: bool) -> Iterator[str]:
    """Why the API would answer 400; nothing when it would not."""
    if not headers.get("anthropic-version"):
        yield "anthropic-version: header is required"
    if not isinstance(body, dict):
        yield "The request body is not an object"
        return
    known = COUNTED if counting else FIELDS
    yield from (f"{name}: Extra inputs are not permitted" for name in sorted(set(body) - known))
    if not isinstance(body.get("model"), str) or not body["model"]:
        yield "model: Field required"
    bound = body.get("max_tokens")
    if not counting and not (isinstance(bound, int) and bound >= 1):
        yield "max_tokens: Field required"
    yield from _talk(body.get("messages"))
    yield from _blocks("system", body.get("system", "-"))
    if str(body).count("'cache_control'") > 4:
        yield "A maximum of 4 blocks with cache_control may be provided"
    yield from _output(body.get("output_config", {}))


def _talk(messages: Any) -> Iterator[str]:
    if not isinstance(messages, list) or not messages:
        yield "messages: at least one message is required"
        return
    for number, message in enumerate(messages):
        if message.get("role") not in ("user", "assistant"):
            yield f"messages.{number}.role: unexpected value"
        yield from _blocks(f"messages.{number}.content", message.get("content"))
    if messages[-1].get("role") == "assistant":
        yield "This model does not support assistant message prefill"


def _blocks(where: str, content: Any) -> Iterator[str]:
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    if not isinstance(blocks, list) or not blocks:
        yield f"{where}: Field required"
        return
    for number, block in enumerate(blocks):
        if block.get("type") == "text" and not str(block.get("text", "")).strip():
            yield f"{where}.{number}: text content blocks must contain non-whitespace text"
        kept = block.get("cache_control")
        if kept is not None and (
            kept.get("type") != "ephemeral" or kept.get("ttl", "5m") not in ("5m", "1h")
        ):
            yield f"{where}.{number}.cache_control: unexpected value"


def _output(config: Mapping[str, Any]) -> Iterator[str]:
    if config.get("effort", "low") not in EFFORTS:
        yield "output_config.effort: unexpected value"
    if set(config) - {"effort", "format"}:
        yield "output_config: Extra inputs are not permitted"
    if "format" in config:
        yield from schema_refusals(config["format"].get("schema", {}))


def schema_refusals(schema: Mapping[str, Any]) -> Iterator[str]:
    """Why the API would refuse this schema for structured output."""
    if schema.get("type") != "object":
        yield "output_config.format.schema: the root must be an object"
    optional = unions = 0
    for part in _parts(schema):
        yield from (
            f"output_config.format.schema: '{name}' is not supported" for name in set(part) - KEYWORDS
        )
        if part.get("minItems", 0) > 1 or part.get("format", "date") not in FORMATS:
            yield "output_config.format.schema: unsupported constraint"
        if part.get("type") == "object":
            if part.get("additionalProperties") is not False:
                yield "output_config.format.schema: additionalProperties must be false"
            optional += len(set(part.get("properties", {})) - set(part.get("required", [])))
        unions += "anyOf" in part or isinstance(part.get("type"), list)
    if optional > OPTIONAL or unions > UNIONS:
        yield "Schema is too complex for compilation"
    definitions = schema.get("$defs", {})
    if any(_leads_back(name, definitions) for name in definitions):
        yield "output_config.format.schema: recursive schemas are not supported"


def _parts(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield schema
    below = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values()]
    below += [*schema.get("anyOf", []), *schema.get("allOf", [])]
    below += [schema["items"]] if "items" in schema else []
    for one in below:
        yield from _parts(one)


def _leads_back(name: str, definitions: Mapping[str, Any]) -> bool:
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        for part in _parts(definitions.get(waiting.pop(), {})):
            target = str(part.get("$ref", "")).rpartition("/")[2]
            if target == name:
                return True
            if target and target not in seen:
                seen.add(target)
                waiting.append(target)
    return False
