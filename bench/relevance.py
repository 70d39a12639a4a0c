"""Whether the relevance of the first hit tells an answer from noise.

Every question of categories 1 to 4, without the speakers' names (in a vault of other people they alone
would give it away), is asked of the vault of its own conversation and of the next one's, which holds no
answer. What both get is compared: the share of answers that pass where at most 5 % of the wrong vault's do,
the area under the curve, and the two errors at the product's own threshold. Beside it the plain score that
the bar comes from: the share of the question's idf that the best line covers.
"""

from __future__ import annotations

import math
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from bench import metrics
from bench.conversations import Talks
from bench.dialogues import HEADLINE, Dialogue, texts
from bench.reference import content, day
from gitmem.index.embedder import Embedder
from gitmem.index.relevance import THRESHOLD

FALSE_ALARMS = 0.05
Score = Callable[[str], float]
Row = dict[str, Any]


def rows(found: Sequence[Dialogue], mode: str, embedder: Callable[[], Embedder] | None) -> Iterator[Row]:
    """One row for the sessions, one for the facts, and (lexical) one for the share of idf."""
    for unit in ("turns", "notes"):
        with tempfile.TemporaryDirectory() as folder:
            vaults = [Talks(folder, texts([dialogue], unit)) for dialogue in found]
            for vault in vaults:
                vault.use(embedder() if embedder else None)
            yield {
                "mode": mode,
                "texts": unit,
                **compared(found, [_relevance(vault) for vault in vaults], THRESHOLD),
            }
            for vault in vaults:
                vault.close()
        if not embedder:
            covered = [share_of_idf(dialogue, unit) for dialogue in found]
            yield {"mode": "share of idf", "texts": unit, **compared(found, covered, None)}


def compared(found: Sequence[Dialogue], scores: Sequence[Score], chosen: float | None) -> Row:
    """What the scores of the own and of the next conversation's texts tell apart."""
    right: list[float] = []
    wrong: list[float] = []
    for number, dialogue in enumerate(found):
        other = scores[(number + 1) % len(scores)]
        for question in dialogue.questions:
            if question.category in HEADLINE and question.evidence:
                asked = nameless(question.text, dialogue.speakers)
                right.append(scores[number](asked))
                wrong.append(other(asked))
    line = metrics.threshold(wrong, FALSE_ALARMS)
    row: Row = {
        "n": len(right),
        "pass": _share(right, line),
        "threshold": line,
        "auc": metrics.area(right, wrong),
    }
    if chosen is not None:
        # A hit passes at the threshold itself: `--min-relevance` keeps what is not below it.
        just_below = math.nextafter(chosen, -1)
        row |= {
            "default": chosen,
            "missed": 1 - _share(right, just_below),
            "false_alarms": _share(wrong, just_below),
        }
    return row


def nameless(question: str, speakers: Sequence[str]) -> str:
    """The question without the speakers' names and what hangs on them."""
    names = "|".join(re.escape(part) for name in speakers for part in name.split())
    return " ".join(re.sub(rf"\b(?:{names})(?:['’]s?)?(?!\w)", " ", question, flags=re.IGNORECASE).split())


def share_of_idf(dialogue: Dialogue, unit: str) -> Score:
    """How much of the idf of a question's content words the best line of one conversation covers."""
    lines = [
        frozenset(content(f"{day(session.time)} {line.who} {line.text}"))
        for session in dialogue.sessions
        for line in (session.facts if unit == "notes" else session.turns)
    ]

    def idf(word: str) -> float:
        having = sum(word in line for line in lines)
        return math.log(1 + (len(lines) - having + 0.5) / (having + 0.5))

    def score(question: str) -> float:
        weights = {word: idf(word) for word in content(question)}
        best = max(sum(weights[word] for word in line & weights.keys()) for line in lines)
        return best / (sum(weights.values()) or 1.0)

    return score


def _relevance(vault: Talks) -> Score:
    def score(question: str) -> float:
        hits = vault.store.search(question, vault.filters(), 1)
        return hits[0].relevance if hits else 0.0

    return score


def _share(scores: Sequence[float], line: float) -> float:
    return sum(score > line for score in scores) / len(scores)
