"""A second process for long work: forked from this one, so that no key has to travel.

It answers numbered questions over two pipes, never waits for its answers to be read, and ends when its pipes
do. Whatever becomes of it (killed, out of memory), what it did not answer comes back as not done.
"""

from __future__ import annotations

import os
import select
import sys
from collections import deque
from collections.abc import Callable

_NUMBER = 4  # bytes, also of a length
_AT_ONCE = 1 << 18  # bytes written before it looks for questions again
_WAITING = 16  # questions that it may have: enough to be busy while this process does something long


def can_help() -> bool:
    """Whether a second process would be safe here and of use."""
    return hasattr(os, "fork") and _cores() > 1 and _threads() == 1


class Worker:
    """The second process. ``work`` turns the number of a task into its answer, over there."""

    def __init__(self, work: Callable[[int], bytes]) -> None:
        questions, self._to = os.pipe()
        self._from, answers = os.pipe()
        _widen(answers)
        self._asked: deque[int] = deque()
        self._pid = os.fork()
        if not self._pid:
            _be_the_worker(work, questions, answers)
        os.close(questions)
        os.close(answers)

    @property
    def wants(self) -> bool:
        """Whether another task would keep it busy."""
        return self._pid > 0 and len(self._asked) < _WAITING

    @property
    def owes(self) -> bool:
        """Whether it has tasks that it did not answer yet."""
        return bool(self._asked)

    def ask(self, task: int) -> None:
        """Give it a task; answers come in the same order."""
        self._asked.append(task)
        try:
            os.write(self._to, task.to_bytes(_NUMBER, "big"))
        except OSError:  # it is gone, as ``answer`` will find
            return

    def is_ready(self) -> bool:
        """Whether an answer has begun to arrive."""
        return bool(self._asked) and bool(select.select([self._from], [], [], 0)[0])

    def answer(self) -> bytes | None:
        """The answer to the first open task; None when the process is gone (see ``lost``)."""
        size = self._read(_NUMBER)
        found = self._read(int.from_bytes(size, "big")) if size is not None else None
        if found is None:
            self.end()
        else:
            self._asked.popleft()
        return found

    def lost(self) -> list[int]:
        """The tasks that will not be answered any more."""
        lost, self._asked = list(self._asked), deque()
        return lost

    def end(self) -> None:
        """Let the process go; safe to call twice."""
        if self._pid <= 0:
            return
        pid, self._pid = self._pid, -1
        os.close(self._to)
        os.close(self._from)
        try:
            os.waitpid(pid, 0)
        except ChildProcessError:  # this program has its children reaped elsewhere
            return

    def _read(self, size: int) -> bytes | None:
        chunks = []
        while size:
            chunk = os.read(self._from, min(size, 1 << 20))
            if not chunk:
                return None
            chunks.append(chunk)
            size -= len(chunk)
        return b"".join(chunks)


def _widen(pipe: int) -> None:
    """Room for several answers: one that does not fit is passed on only after the next task."""
    try:
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _AT_ONCE * 4)  # type: ignore[attr-defined, unused-ignore]
    except (ImportError, AttributeError, OSError):
        return  # not Linux, or no more room for this user: slower, and right


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _threads() -> int:
    """How many threads there are: the lock that one of them holds would stay locked in a copy for ever."""
    try:
        return len(os.listdir("/proc/self/task"))  # those of libraries too
    except OSError:
        threading = sys.modules.get("threading")
        return threading.active_count() if threading else 1


def _be_the_worker(work: Callable[[int], bytes], questions: int, answers: int) -> None:
    """Serve until the other end is gone, then end at once: nothing of the parent's is tidied up twice."""
    try:
        _let_go(keep=(0, 1, 2, questions, answers))
        os.set_blocking(answers, False)
        _serve(work, questions, answers)
    finally:
        os._exit(0)


def _let_go(keep: tuple[int, ...]) -> None:
    """Give up the parent's files: a copy would keep its locks and pipes alive.

    Their numbers stay taken, because objects that believe to own them may still close them.
    """
    null = os.open(os.devnull, os.O_RDWR)
    for number in map(int, os.listdir("/dev/fd")):
        if number not in keep:
            os.dup2(null, number)


def _serve(work: Callable[[int], bytes], questions: int, answers: int) -> None:
    tasks: deque[int] = deque()
    out = bytearray()
    while True:
        idle = not tasks
        ready, _, _ = select.select([questions], [answers] if out and idle else [], [], None if idle else 0)
        if ready:
            numbers = os.read(questions, 1024 * _NUMBER)
            if not numbers:
                return
            tasks += [
                int.from_bytes(numbers[at : at + _NUMBER], "big") for at in range(0, len(numbers), _NUMBER)
            ]
        if tasks:
            answer = work(tasks.popleft())
            out += len(answer).to_bytes(_NUMBER, "big") + answer
        if out:
            _pass_on(answers, out)


def _pass_on(answers: int, out: bytearray) -> None:
    """Write as much of ``out`` as the pipe takes, and drop that much of it."""
    try:
        while out:
            del out[: os.write(answers, out[:_AT_ONCE])]
    except BlockingIOError:
        return
