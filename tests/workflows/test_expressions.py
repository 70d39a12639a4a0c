"""The evaluator of expressions against GitHub's published rules; where Node has it, against GitHub's own."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
from workflow_expressions import BadExpressionError, Scope, evaluate, filled, holds, words

import parts

CONTEXTS = {
    "github": {
        "event_name": "issues",
        "event": {
            "issue": {"author_association": "OWNER", "labels": [{"name": "A"}, {"name": "b"}], "title": "x"}
        },
        "ref": "refs/heads/main",
    },
    "needs": {"build": {"result": "success", "outputs": {"ready": "yes"}}},
    "steps": {},
}
CASES = [
    ("true && 'a'", "a"),
    ("'' || 'b'", "b"),
    ("!''", True),
    ("!(1 == 1) || 2 > 1", True),
    ("github.event_name == 'ISSUES'", True),
    ("github['event_name'] != 'push'", True),
    ("github.event.issue.missing", None),
    ("github.event.missing.deeper == ''", True),
    ("contains(github.event.issue.labels.*.name, 'B')", True),
    ("contains('Hello', 'ELL')", True),
    ("startsWith(github.ref, 'refs/heads/')", True),
    ("endsWith('a.yml', '.YML')", True),
    ("format('{0}-{1}', 'a', 2)", "a-2"),
    ("'it''s'", "it's"),
    ("1 == '1'", True),
    ("null == 0", True),
    ("'x' == 0", False),
    ("needs.build.outputs.ready == 'yes' && 'go'", "go"),
    ("!startsWith('0000', '0') && true", False),
    ("join(github.event.issue.labels.*.name, '+')", "A+b"),
]


@pytest.mark.parametrize(("text", "value"), CASES)
def test_an_expression_has_the_value_that_github_gives_it(text, value):
    assert evaluate(text, Scope(CONTEXTS)) == value


REFUSED = ["1 = 1", "secrets.X", "github.ref ==", "nope(1)", "'open", "a b", "(1"]


@pytest.mark.parametrize("text", REFUSED)
def test_what_github_refuses_is_refused(text):
    with pytest.raises(BadExpressionError):
        evaluate(text, Scope(CONTEXTS))


def test_a_condition_without_a_status_function_asks_for_success_first():
    assert holds(None, Scope(CONTEXTS))
    assert not holds(None, Scope(CONTEXTS, failed=True))
    assert not holds("true", Scope(CONTEXTS, failed=True))
    assert holds("always()", Scope(CONTEXTS, failed=True))
    assert holds("${{ failure() }}", Scope(CONTEXTS, failed=True))
    assert not holds("failure()", Scope(CONTEXTS))
    assert not holds(False, Scope(CONTEXTS))


def test_a_value_is_put_into_a_text_as_it_is_which_is_why_no_script_may_hold_one():
    hostile = {"github": {"event": {"issue": {"title": '"; touch PWNED; "'}}}}
    assert filled('echo "${{ github.event.issue.title }}"', Scope(hostile)) == 'echo ""; touch PWNED; ""'
    assert filled("${{ 1 }}-${{ null }}-${{ true }}", Scope(CONTEXTS)) == "1--true"


_NODE = """
import { readFileSync } from "fs";
const { Lexer, Parser, Evaluator, data } = await import(process.argv[1]);
const made = (value) =>
  value === null ? new data.Null()
  : typeof value === "string" ? new data.StringData(value)
  : Array.isArray(value) ? new data.Array(...value.map(made))
  : new data.Dictionary(...Object.entries(value).map(([key, one]) => ({ key, value: made(one) })));
const { contexts, texts } = JSON.parse(readFileSync(0, "utf8"));
const answer = (text) => {
  try {
    const parser = new Parser(new Lexer(text).lex().tokens, Object.keys(contexts), []);
    return new Evaluator(parser.parse(), made(contexts)).evaluate().coerceString();
  } catch { return null; }
};
console.log(JSON.stringify(texts.map(answer)));
"""


def test_githubs_own_evaluator_says_the_same(root):
    place, node = root / ".ci" / "parts" / "expressions" / "dist" / "index.js", shutil.which("node")
    if node is None or not place.is_file():
        parts.missing("expressions", ".ci/fetch gets GitHub's evaluator with npm")
    texts = [text for text, _ in CASES] + REFUSED
    asked = json.dumps({"contexts": CONTEXTS, "texts": texts})
    argv = [node, "--input-type=module", "--eval", _NODE, place.as_uri()]
    done = subprocess.run(argv, input=asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    ours = [words(evaluate(text, Scope(CONTEXTS))) for text, _ in CASES] + [None] * len(REFUSED)
    assert dict(zip(texts, json.loads(done.stdout), strict=True)) == dict(zip(texts, ours, strict=True))
