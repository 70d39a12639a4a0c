"""The way in: git's two small programs are told apart before click is imported; no failure is shown raw."""

from __future__ import annotations

import gc
import os
import sys
from types import TracebackType

from gitmem.errors import BUG, INTERRUPTED

_OBJECTS = 20_000  # new ones before cycles are looked for: with 700, starting has it done forty times in vain


def main() -> None:
    """Runs one gitmem command and exits with its code (see ``gitmem/errors.py``)."""
    gc.set_threshold(_OBJECTS)
    _open_streams()
    try:
        code = _run(sys.argv[1:])
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        code = _pipe_closed()
    except Exception as error:  # the last resort: a bug becomes one sentence and a report
        code = _bug(error)
    gc.freeze()  # what is left ends with the process and need not be looked through once more
    sys.exit(code)


def _open_streams() -> None:
    # A parent may start us with a stream closed; Python then has None in its place, and so would every print.
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - for good


def _run(arguments: list[str]) -> int:
    # Git starts these two once per file: click would cost more than the work itself.
    first = arguments[0] if arguments else ""
    if first == "textconv":
        from gitmem.doors import textconv

        return textconv.main(arguments[1:])
    if first == "merge-driver":
        from gitmem.doors import merge_driver

        return merge_driver.main(arguments[1:])
    from gitmem.doors.cli import main as cli

    return cli.run(arguments)


def _pipe_closed() -> int:
    # The reader (`| head`) has what it wanted. Python would complain once more when it flushes at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _bug(error: Exception) -> int:
    # Never the text of an unknown error: it may quote a memory or a key. Its type and place are enough.
    if os.environ.get("GITMEM_DEBUG") == "1":
        import traceback

        traceback.print_exception(error)
    report = _report(error)
    where = (
        f"Where it happened is noted, without any memory text, in {report}."
        if report
        else "Run the command again with GITMEM_DEBUG=1 to see where it happened."
    )
    print(
        f"gitmem: this is a bug in gitmem ({type(error).__name__}); every finished write is safe.",
        file=sys.stderr,
    )
    print(where, file=sys.stderr)
    return BUG


def _report(error: Exception) -> str:
    import platform
    import time

    from gitmem import __version__, config

    folder = os.path.join(config.state_dir(), "reports")
    path = os.path.join(folder, time.strftime("%Y-%m-%dT%H%M%SZ", time.gmtime()) + f"-{os.getpid()}.txt")
    lines = [f"gitmem {__version__}, Python {platform.python_version()}, {platform.system()}"]
    lines += _places(error)
    try:
        config.write_private(path, "\n".join(lines) + "\n")
    except Exception:  # a full disk must not hide the first failure
        return ""
    return path


def _places(error: BaseException | None) -> list[str]:
    lines: list[str] = []
    while error is not None:
        lines.append(type(error).__name__)
        step: TracebackType | None = error.__traceback__
        while step is not None:
            code = step.tb_frame.f_code
            lines.append(f"  {os.path.basename(code.co_filename)}:{step.tb_lineno} in {code.co_name}")
            step = step.tb_next
        error = error.__cause__ or error.__context__
    return lines


if __name__ == "__main__":
    main()
