"""The telling sentences of memories, as they stand there: summaries without a model."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gitmem.memory.likeness import jaccard, terms
from gitmem.memory.memory import Memory
from gitmem.memory.text import visible_line

SHORTEST, LONGEST = 30, 240  # characters of a sentence that can stand alone
ALIKE = 0.4  # the share of common words from which two sentences are one too many
_LOOKED = 400  # of the best ones, more than any summary has room for
_CLOSE, _HEARD = 60, 0.9  # of so many best ones, somebody who was heard often comes later

_FENCE = re.compile(r"(?ms)^ {0,3}(```|~~~).*?(?:^ {0,3}\1|\Z)")
_SPEAKER = re.compile(r"\*\*([^*\n]{1,40})\*\*:\s*|([A-Z][\w'-]{1,20}(?: [A-Z][\w'-]{1,20})?):\s+")
_LEAD = re.compile(r"^\s*(?:#{1,6}\s+|[-*+]\s+(?:\[[ xX]\]\s+)?|\d{1,3}[.)]\s+|>\s*)+")
_WRAPPED = 50  # characters from which a line may be one that an editor broke
_IN_TITLE = re.compile(r"^[a-z]+(?=[\s,;:])")  # a first word that may get a capital; an identifier must not
_TITLED = ("decision", "convention", "pattern", "fact")  # kinds whose titles say what they hold
_NOTE = re.compile(r"\[[^\]\n]{0,200}\](?!\()")
_END = re.compile(r"(?<=[.!?…。！？])[\"'”’)]*\s+(?=[\"'“‘(]?[A-Z0-9\u4e00-\u9fff])|(?<=[。！？])")
_ASKS = re.compile(r"[?？][\"'”’)]*$")
_SMALL_TALK = re.compile(
    r"^(?:wow|oh|aw+|hey|hi|hello|thanks|thank you|yeah|yep|yes|no|sure|okay|ok|cool|great|nice|awesome|glad"
    r"|amazing|congrat\w*|that'?s|sounds|good|so glad|definitely|absolutely|totally|exactly|of course|bye"
    r"|take care|talk to|let me|let's|can't wait|keep|no problem|no worries|i agree|i'm so|you|your|what"
    r"|how)\b",
    re.IGNORECASE,
)
_FILLER = re.compile(
    r"^(?:(?i:by the way|btw|on (?:another|a brighter|a different) note|anyway|well|yeah|woah|whoa|wow|oh|hey"
    r"|actually|honestly)(?: [A-Z]\w+)?[,!:]+|(?i:so|and|but|yeah|also),?)\s+(?:- )?(?=\w)"
)
_POINTS_BACK = re.compile(r"\b(?:it|this|that|there|them|here|these|those|ones?)\b", re.IGNORECASE)
_DANGLING = re.compile(
    r"^(?:it|that|this|these|those|they|he|she|our|his|her|their|and|but|so|or|then|which|there|here)\b",
    re.IGNORECASE,
)
_ADDRESSED = re.compile(r"\b(?:you|your|you're|you've|you'll|u)\b", re.IGNORECASE)
_WEIGHTY = re.compile(
    r"\b(?:decid\w*|agreed?|must|always|never|prefers?|because|instead|moved?|started?|finished|bought|got|won"
    r"|lost|joined|signed|passed|applied|planning|plan|planned|born|married|adopt\w*|visited|went|use[sd]?"
    r"|switched|released?|deploy\w*|fixed|learned|found|made|built|wrote|met|due|deadline|allergic"
    r"|intolerant|job|hired|opened|launched|graduat\w*|engaged|named|called|owns?|works? (?:at|as|for))\b",
    re.IGNORECASE,
)
_REFLECTS = re.compile(
    r"\b(?:feel\w*|felt|realiz\w*|realis\w*|important|impact|journey|inspir\w*|reminds?|special|amazing"
    r"|awesome|incredible|appreciat\w*|joy|dreams?|the sign|says)\b",
    re.IGNORECASE,
)
_EXACT = re.compile(r"\d|\b(?:yesterday|today|tomorrow|last|next)\b|(?<=\s)[A-Z][a-z]+|\"[^\"]+\"")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, who said it ("" where nobody is named), and the memory that it stands in.

    ``headline``: it is the title that somebody gave to a decision or the like, and says it in short.
    """

    text: str
    speaker: str
    memory: Memory
    stems: frozenset[str]
    headline: bool = False


def sentences(memory: Memory) -> list[Sentence]:
    """The sentences of a memory that say something by themselves, in order."""
    found = []
    stems = frozenset(terms(memory.title))
    if memory.kind in _TITLED and len(stems) >= 3:
        found.append(Sentence(visible_line(memory.title), "", memory, stems, headline=True))
    voices = _voices(memory.body)
    for line in _unwrapped(_FENCE.sub("", memory.body).split("\n")):
        plain = _LEAD.sub("", line)
        named = _SPEAKER.match(plain)
        if named and (named[1] or named[2]) not in voices:
            named = None
        said = _NOTE.sub("", plain[named.end() :] if named else plain).replace("**", "").replace("`", "")
        speaker = (named[1] or named[2]) if named else ""
        for text in _END.split(said):
            clean = _FILLER.sub("", " ".join(text.split()))
            clean = clean[:1].upper() + clean[1:] if _IN_TITLE.match(clean) else clean
            stems = frozenset(terms(clean))
            if SHORTEST <= len(clean) <= LONGEST and len(stems) >= 3 and not _ASKS.search(clean):
                found.append(Sentence(clean, speaker, memory, stems))
    return found


def _voices(body: str) -> set[str]:
    """Who speaks in a text: those named at the head of several lines; "Why:" once is no speaker."""
    heads = (_SPEAKER.match(_LEAD.sub("", line)) for line in body.split("\n"))
    often = Counter(head[1] or head[2] for head in heads if head)
    return {name for name, times in often.items() if times > 1}


def _unwrapped(lines: Iterable[str]) -> list[str]:
    """Lines with those put together again that were broken to fit a width."""
    whole: list[str] = []
    before = ""
    for line in lines:
        begins = not line.strip() or _LEAD.match(line) or _SPEAKER.match(line)
        if begins or len(before) < _WRAPPED or before.startswith("#"):
            whole.append(line)
        else:
            whole[-1] += " " + line.strip()
        before = line
    return whole


def best(memories: Iterable[Memory], room: int, most_of_one: int = 3) -> list[Sentence]:
    """The sentences that say most of what is in these memories, oldest memory first.

    Args:
        memories: what to choose from.
        room: characters for all of them, with 40 for what stands around each.
        most_of_one: how many may come from the same memory.
    """
    found = [one for memory in memories for one in sentences(memory)]
    weight = _weights(found)
    scored = [(_score(one, weight), one) for one in found]
    scored.sort(key=lambda pair: (-pair[0], pair[1].memory.created, pair[1].memory.id, pair[1].text))
    chosen = _chosen(scored[:_LOOKED], room, most_of_one)
    place = {id(one): number for number, one in enumerate(found)}
    return sorted(chosen, key=lambda one: (one.memory.created, one.memory.id, place[id(one)]))


def _chosen(ranked: list[tuple[float, Sentence]], room: int, most_of_one: int) -> list[Sentence]:
    """The best one after the other, without those too alike, and with everybody's voice heard."""
    chosen: list[Sentence] = []
    used: Counter[str] = Counter()
    spoken: Counter[str] = Counter()
    while True:
        ranked = [
            (score, one)
            for score, one in ranked
            if _size(one) <= room
            and used[one.memory.id] < most_of_one
            and not (chosen and jaccard(one.stems, chosen[-1].stems) > ALIKE)
        ]
        if not ranked:
            return chosen
        _, following = max(ranked[:_CLOSE], key=lambda pair: pair[0] * _HEARD ** spoken[pair[1].speaker])
        chosen.append(following)
        used[following.memory.id] += 1
        spoken[following.speaker] += 1
        room -= _size(following)


def _size(one: Sentence) -> int:
    return len(one.text) + len(one.speaker) + 40


def _weights(found: Sequence[Sentence]) -> dict[str, float]:
    """How much a stem counts: what is said in several memories, and not in all of them."""
    among: dict[str, set[str]] = {}
    for one in found:
        for root in one.stems:
            among.setdefault(root, set()).add(one.memory.id)
    size = len({one.memory.id for one in found})
    return {
        root: math.log(1 + len(ids)) * math.log(1 + size / len(ids)) + (0.3 if size < 4 else 0.0)
        for root, ids in among.items()
    }


def _score(one: Sentence, weight: dict[str, float]) -> float:
    score = sum(weight[root] for root in one.stems) / (len(one.stems) + 5)
    score *= 1 + 0.25 * min(3, len(_EXACT.findall(one.text[1:])))
    if _WEIGHTY.search(one.text):
        score *= 1.6
    if one.headline:
        return 2 * score
    for pattern, factor in ((_SMALL_TALK, 0.25), (_DANGLING, 0.5), (_ADDRESSED, 0.4), (_REFLECTS, 0.6)):
        if pattern.search(one.text):
            score *= factor
    if len(one.text) < 90 and _POINTS_BACK.search(one.text):
        score *= 0.6  # too short to say itself what it points back to
    return score
