"""The stand-in of the Messages API refuses what the API refuses, and the SDK takes what it says."""

from __future__ import annotations

import anthropic
import httpx2
import messages_rules
import messages_server as server
import pydantic
import pytest


class Colour(pydantic.BaseModel):
    name: str


TALK = {"model": "claude-haiku-5-5", "max_tokens": 100, "messages": [{"role": "user", "content": "Which?"}]}


@pytest.fixture
def sdk(messages):
    return anthropic.Anthropic(max_retries=0, timeout=5)


def test_the_sdk_parses_streams_and_counts(messages, sdk):
    messages.script(server.Answer({"name": "blue"}, thinking="Hm."), server.Answer("green", thinking="Hm."))
    parsed = sdk.messages.parse(**TALK, output_format=Colour)
    assert parsed.parsed_output.name == "blue"
    with sdk.messages.stream(**TALK) as stream:
        assert "".join(stream.text_stream) == "green"
        assert stream.get_final_message().usage.output_tokens > 0
    counted = sdk.messages.count_tokens(model="claude-haiku-5-5", messages=TALK["messages"])
    assert counted.input_tokens > 1
    assert [request.counting for request in messages.requests] == [False, False, True]
    assert messages.requests[0].headers["anthropic-version"] == messages_rules.VERSION


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (server.OVERLOADED, anthropic.InternalServerError),
        (server.LIMITED, anthropic.RateLimitError),
        (server.BROKEN, anthropic.InternalServerError),
        (server.Cut(), anthropic.APIConnectionError),
        (server.Answer("late", after=2), anthropic.APITimeoutError),
        ("no JSON", pydantic.ValidationError),
    ],
)
def test_each_fault_arrives_as_the_sdk_names_it(messages, sdk, reply, error):
    messages.script(reply)
    with pytest.raises(error):
        sdk.with_options(timeout=0.5).messages.parse(**TALK, output_format=Colour)


def test_a_cut_stream_ends_in_an_error(messages, sdk):
    messages.script(server.Cut(after=300, text="a long answer " * 50))
    with pytest.raises(httpx2.TransportError), sdk.messages.stream(**TALK) as stream:
        stream.get_final_message()


def test_a_wrong_key_and_an_unknown_model_are_refused(messages, sdk):
    with pytest.raises(anthropic.AuthenticationError):
        sdk.with_options(api_key="sk-ant-other").messages.create(**TALK)
    with pytest.raises(anthropic.NotFoundError):
        sdk.messages.create(**{**TALK, "model": "claude-nonexistent"})


WRONG = [
    ({"temperature": 1}, "temperature"),
    ({"thread": {"type": "create"}}, "thread"),
    ({"max_tokens": None}, "max_tokens"),
    ({"messages": []}, "messages"),
    ({"messages": [{"role": "assistant", "content": "{"}]}, "prefill"),
    ({"messages": [{"role": "user", "content": "  "}]}, "non-whitespace"),
    ({"output_config": {"effort": "huge"}}, "effort"),
]


@pytest.mark.parametrize(("change", "said"), WRONG)
def test_a_request_that_the_api_refuses_is_refused_and_noted(messages, sdk, change, said):
    with pytest.raises(anthropic.BadRequestError, match=said):
        sdk.post("/v1/messages", body={**TALK, **change}, cast_to=object)
    assert said in messages.wrong[0]
    messages.wrong.clear()


def _closed(**properties):
    return {"type": "object", "properties": properties, "required": [], "additionalProperties": False}


BAD_SCHEMAS = [
    ({"type": "object", "properties": {}}, "additionalProperties"),
    (_closed(a={"type": "integer", "minimum": 1}), "minimum"),
    (_closed(a={"type": "string", "maxLength": 9}), "maxLength"),
    (_closed(**{f"a{n}": {"type": "string"} for n in range(25)}), "too complex"),
    (_closed(**{f"a{n}": {"anyOf": [{"type": "null"}]} for n in range(17)}), "too complex"),
    ({**_closed(a={"$ref": "#/$defs/T"}), "$defs": {"T": _closed(b={"$ref": "#/$defs/T"})}}, "recursive"),
]


@pytest.mark.parametrize(("schema", "said"), BAD_SCHEMAS)
def test_a_schema_outside_the_limits_is_refused(schema, said):
    assert any(said in refusal for refusal in messages_rules.schema_refusals(schema))
    assert not list(messages_rules.schema_refusals(_closed(a={"type": "string"})))
