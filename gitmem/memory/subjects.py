"""What memories are about: the words that set one apart from the others of its kind, and who shares them."""

from __future__ import annotations

import math
import re
from array import array
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from heapq import nsmallest

from gitmem.memory.likeness import STOP, stem, terms
from gitmem.memory.memory import Memory

_FEW = 24  # words by which a set of memories is compared with others
_PLAIN = frozenset(
    """able actually always amazing another anything around ask away awesome back bad best better big bit
    call came care chat come cool crazy day days definitely done easy enough even ever every
    everything excited exciting excite feel feeling felt find first found friend fun gave give glad
    go goes going gone good gotta great guess guy guys happen happened happy hard haven hear help
    helped helps hope inspire inspiring interesting keep kept kind knew know last lately life like
    little long look looking looks lot lots love loved made make makes making many maybe mean meet
    met might moment month months must near need never new next nice nothing old one part people
    photo pic picture place pretty proud put ready remember right said saw say see seem seems seen
    share show since someone something soon sound sounds special start started stay stuff support
    super sure take taking talk tell thing things think thinking thought time times today together
    told tomorrow took totally tough tried try trying two understand use used using wait want wanted
    way week weekend weeks went without wonderful word words work worked working world worth year
    years yesterday yet others important brings bring lets reminds remind much free watching
    not no nor none nobody everybody somebody anybody without left right first second third three
    four five six seven eight nine ten hundred thousand still already called check checked
    download downloaded write wrote written read cannot rather almost often always sometimes half quarter
    both either neither until because instead thus therefore however although though per via""".split()
)
_PLAIN_STEMS = frozenset(map(stem, _PLAIN))
_SURFACE = re.compile(r"[^\W\d_]{3,}")


class Subjects:
    """The words of many memories, counted once; small enough for tens of thousands of them."""

    def __init__(self, memories: Sequence[Memory]) -> None:
        self._number: dict[str, int] = {}
        self._stems: list[str] = []
        self._in: list[int] = []  # in how many memories a stem is
        self._words: dict[str, array[int]] = {}
        self._times: dict[str, array[int]] = {}
        self._size = len(memories)
        self._common = Counter(tag for memory in memories for tag in memory.tags)
        self._holders: dict[int, list[str]] | None = None
        self._rarity: list[float] | None = None
        for memory in memories:
            self._count(memory)

    def _count(self, memory: Memory) -> None:
        counted = Counter(terms(f"{memory.title}\n{memory.body}"))
        numbers, times = array("I"), array("H")
        for word, often in counted.items():
            number = self._number.setdefault(word, len(self._stems))
            if number == len(self._stems):
                self._stems.append(word)
                self._in.append(0)
            self._in[number] += 1
            numbers.append(number)
            times.append(min(often, 65535))
        self._words[memory.id], self._times[memory.id] = numbers, times

    def of(self, memory: Memory) -> str:
        """The one subject of a memory: its first topic, else a tag that sets it apart, else a word; or ""."""
        apart = [tag for tag in memory.tags if 1 < self._common[tag] <= max(2, self._size // 2)]
        named = [*memory.topics[:1], *sorted(apart, key=lambda tag: (self._common[tag], tag))]
        return named[0] if named else next(iter(self.words([memory], 1)), "")

    def words(self, memories: Iterable[Memory], most: int) -> list[str]:
        """The words that tell these memories from the others, best first, as they are written there."""
        texts = list(memories)
        best = self._best(texts, 3 * most)
        surface: dict[str, Counter[str]] = {}
        for memory in texts:
            for word in _SURFACE.findall(f"{memory.title}\n{memory.body}"):
                lower = word.casefold()
                if lower not in STOP and (root := stem(lower)) in best:
                    surface.setdefault(root, Counter())[word if word.isupper() else lower] += 1
        shown = [surface[root].most_common(1)[0][0] for root in best if root in surface]
        return shown[:most]

    def mentions(self, word: str) -> dict[str, int]:
        """How often the memories name a word, by id; those that do not are left out."""
        number = self._number.get(stem(word.casefold()), -1)
        ids = self._holding().get(number, ())
        return {one: self._times[one][self._words[one].index(number)] for one in ids}

    def _holding(self) -> dict[int, list[str]]:
        """The ids of the memories that a stem is in, by its number; made once."""
        if self._holders is None:
            self._holders = {}
            for memory_id, numbers in self._words.items():
                for number in numbers:
                    self._holders.setdefault(number, []).append(memory_id)
        return self._holders

    def related(self, part: Iterable[Memory], among: Container[str]) -> list[str]:
        """The ids of ``among`` that share the telling words of ``part``, best first."""
        texts = list(part)
        holding = self._holding()
        own = {memory.id for memory in texts}
        score: dict[str, float] = {}
        for root, weight in self._best(texts, _FEW).items():
            for memory_id in holding[self._number[root]]:
                if memory_id not in own and memory_id in among:
                    score[memory_id] = score.get(memory_id, 0.0) + weight
        return sorted(score, key=lambda one: (-score[one], one))

    def _tells(self, number: int) -> bool:
        """Whether a stem is in several memories and not in nearly all, and no word of every conversation."""
        if self._stems[number] in _PLAIN_STEMS or self._stems[number].isdigit():
            return False
        return self._size < 4 or 1 < self._in[number] <= max(3, 0.7 * self._size)

    def _best(self, memories: Sequence[Memory], most: int) -> dict[str, float]:
        """The heaviest stems of these memories with their weight: how many of them, how rare elsewhere."""
        weight: dict[int, float] = {}
        for memory in memories:
            numbers, times = self._words[memory.id], self._times[memory.id]
            for number, often in zip(numbers, times, strict=True):
                weight[number] = weight.get(number, 0.0) + (0.2 if often == 1 else 0.2 + math.log(often))
        if self._rarity is None:
            self._rarity = [
                math.log(1 + self._size / count) if self._tells(number) else 0.0
                for number, count in enumerate(self._in)
            ]
        rated = [
            (-value * rare, self._stems[number])
            for number, value in weight.items()
            if (rare := self._rarity[number])
        ]
        return {root: -rate for rate, root in nsmallest(most, rated)}
