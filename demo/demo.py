"""The story of gitmem on real git, in a temporary folder: `make demo`. Exits 1 when a claim does not hold."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
import time

from stage import NotAsToldError, Stage

from gitmem.memory import ids
from gitmem.vault.keys import Identity
from gitmem.vault.vault import Vault

MEMORIES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "memories")
EXAMPLES = 32
RULE = "We release on Tuesdays: on Wednesdays somebody is awake"
BETTER = "We release on Tuesdays before noon, never before a holiday"


def main() -> int:
    """Tell the whole story; 0 when everything was as told."""
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # a terminal without UTF-8 may show ?
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="gitmem-demo-") as folder:
        stage = Stage(os.path.realpath(folder), colour)
        try:
            stage.set_up()
            tell(stage)
        except NotAsToldError as error:
            print(f"\nThe demo stops here, because this does not hold: {error}.", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 130
        except BrokenPipeError:  # a pager was left early; the rest has nobody to read it
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
    print(f"\nThat took {time.monotonic() - began:.0f} seconds, and the temporary folder is gone again.")
    return 0


def tell(stage: Stage) -> None:
    """All acts, in order; each checks its own claims."""
    stage.say(
        """gitmem is a long-term memory for you and your assistant, and you hold it yourself: sealed markdown
        in your own git repository. Everything below really runs, in a temporary folder; your own files and
        settings are not touched. Three machines take part: desk, laptop and stranger."""
    )
    make_a_vault(stage)
    short = remember(stage)
    find(stage)
    two_views(stage)
    second_device(stage, short)
    forger(stage, short)
    made = distil(stage)
    digest(stage)
    take_back(stage, short, made)
    new_key(stage)
    farewell(stage)


def make_a_vault(stage: Stage) -> None:
    """A remote and a vault."""
    stage.title("1. A vault")
    stage.say("Any git remote will do as the server. Here it is a bare repository in a folder.")
    stage.run("desk", "git init -q --bare -b main ../server.git")
    stage.run("desk", "gitmem init memory --remote ../server.git --yes")
    stage.check("init" in stage.ask("desk", "git -C ../server.git log --format=%s main"), "init pushes")
    stage.say("Each write is pushed in the background. Not in this demo, so that you see every push:")
    stage.run("desk", "gitmem config set sync.auto false")


def remember(stage: Stage) -> str:
    """Import the examples and write one memory; its short id."""
    stage.title("2. Remember")
    count = lay_out_examples(stage.path("desk", "notes"))
    stage.say(
        f"""Mira builds a timetable app and has {count} notes in a folder of markdown. (They are the examples
        in memories/ of this repository, opened with the key that is printed there.)"""
    )
    said = stage.run("desk", "gitmem import notes --keep")
    stage.check(count == EXAMPLES and f"{count} added" in said, f"the import adds {EXAMPLES} memories")
    stage.say("And one more, typed. Title, date and id come by themselves:")
    said = stage.run("desk", f"gitmem write '{RULE}' \\\n         --project lineside --kind decision --share")
    found = re.search(r"wrote (\w{6}) ", said)
    stage.check(found is not None, "a write prints the short id")
    return found[1] if found else ""


def lay_out_examples(folder: str) -> int:
    """Opens the example memories into ``folder``, as somebody's notes; how many."""
    with open(os.path.join(MEMORIES, "README.md"), encoding="utf-8") as file:
        key = re.search(r"^AGE-SECRET-KEY-1\w+$", file.read(), re.MULTILINE)
    vault = Vault(Identity.parse(key[0] if key else ""), "0" * 32)
    os.mkdir(folder)
    count = 0
    for place, _, names in os.walk(MEMORIES):
        for name in names:
            if name.endswith(ids.SUFFIX):
                with open(os.path.join(place, name), "rb") as sealed:
                    document = vault.open(sealed.read())
                with open(os.path.join(folder, name.removesuffix(".age")), "wb") as note:
                    note.write(document)
                count += 1
    return count


def find(stage: Stage) -> None:
    """Search and read."""
    stage.title("3. Find")
    stage.say("Ask as you would ask a colleague. What was replaced by a later decision stays out.")
    said = stage.run("desk", "gitmem search 'how often do we ask for live changes' --limit 3")
    first, _, rest = said.partition("\n")
    stage.check("every 90 sec" in first, "the best answer comes first")
    stage.check("every five minutes" not in rest, "a replaced decision stays out")
    stage.say("The last six characters of an id are enough to read it whole:")
    said = stage.run("desk", f"gitmem read {first.split()[0]}")
    stage.check("Jonah missed the 17:52" in said, "read prints the whole memory")
    stage.say(
        "Without an id it gives the best of a project within a budget: how an assistant begins a session."
    )
    said = stage.run("desk", "gitmem read --project lineside --budget 900")
    stage.check("No accounts" in said and len(said) <= 900, "a pack keeps to its budget")


def two_views(stage: Stage) -> None:
    """The same commit with the key and without."""
    stage.title("4. What you see, and what the server sees")
    stage.run("desk", "gitmem sync")
    stage.say("With the key on this machine, plain git shows the history as text:")
    said = stage.run("desk", "git -C memory log -1 -p")
    stage.check(f"+{RULE}" in said, "git log -p is readable")
    blob = re.search(r"^index 0+\.\.(\w+)", said, re.MULTILINE)
    stage.say("The server has the same commit. This is how that file looks there:")
    said = stage.run(
        "desk", f"git -C ../server.git cat-file blob {blob[1] if blob else ''} | head -c 96 | od -c"
    )
    stage.check("a   g   e   -   e   n   c" in said, "the server holds an age file")
    words = "Tuesdays|lineside|Marrow Bridge"
    search = f"git -C ../server.git cat-file --batch --batch-all-objects | grep -acE '{words}' ||:"
    stage.prove(stage.ask("desk", search) == "0", "no object on the server holds a word of any memory")
    path = stage.ask("desk", "git -C memory log -1 --format= --name-only")
    if shutil.which("age"):
        stage.say("You do not depend on gitmem. The stock age program opens any memory with your key:")
        said = stage.run("desk", f'age -d -i "$(gitmem key where)" \\\n         memory/{path} | cat -s')
        stage.check(RULE in said, "stock age opens a memory")


def second_device(stage: Stage, short: str) -> None:
    """Invite, join, edit there, sync here."""
    stage.title("5. A second device")
    stage.say(
        "One line of text, the join code, brings the vault along. It holds the key: hand it over privately."
    )
    stage.run("desk", "gitmem invite > code.txt")
    stage.run("laptop", "gitmem join memory < ../desk/code.txt && rm ../desk/code.txt")
    stage.ask("laptop", "gitmem config set sync.auto false")
    stage.run("laptop", f"gitmem edit {short} \\\n         --body '{BETTER}'")
    stage.run("laptop", "gitmem sync")
    stage.say("Back at the desk:")
    stage.run("desk", "gitmem sync")
    said = stage.run("desk", "gitmem diff")
    stage.check(BETTER in said and RULE in said, "the desk sees the laptop's edit")


def forger(stage: Stage, short: str) -> None:
    """Somebody who may push but has no key, and both devices afterwards."""
    stage.title("6. Somebody who may push, but has no key")
    stage.say(
        """A stranger can push to the server. Nothing there can be read, but files can be put back and copied:
        the old rule, and a memory once more under a new name. Each file is genuine; encryption alone would
        not notice."""
    )
    path = stage.ask("desk", "git -C memory log -1 --format= --name-only")
    forged = ids.path_of(ids.new_id(int(time.time() * 1000)))
    stage.ask(
        "stranger", "git config --global user.name gitmem; git config --global user.email gitmem@localhost"
    )
    stage.run("stranger", "git clone -q ../server.git copy")
    stage.run("stranger", "git -C copy checkout -q HEAD~1 -- memories")
    stage.ask("stranger", f"mkdir -p copy/{os.path.dirname(forged)}")
    stage.run("stranger", f"cd copy && cp {path} \\\n         {forged}")
    stage.run(
        "stranger", "cd copy && git add . && \\\n         git commit -qm 'write 1 memory' && git push -q"
    )
    commit = stage.ask("stranger", "git -C copy rev-parse HEAD")
    stage.say("But the commit is not sealed with the key, and so no device takes it:")
    said = stage.run("desk", "gitmem sync", code=13)
    stage.check(commit[:10] in said, "the refusal names the commit")
    stage.prove(is_untouched(stage, "desk", short), "the desk still has every memory as it was")
    stage.say("Here the answer is to put the verified state back on top, for everybody:")
    stage.run("desk", "gitmem sync --restore")
    stage.run("laptop", "gitmem sync")
    both = all(is_untouched(stage, machine, short) for machine in ("desk", "laptop"))
    stage.prove(both, "desk and laptop have the true text, and nothing of the stranger's")


def is_untouched(stage: Stage, machine: str, short: str, made: int = 0) -> bool:
    """Whether that machine has the examples, the edited rule and what consolidation made, and no more."""
    memories = json.loads(stage.ask(machine, "gitmem list --all --limit 0 --json"))["memories"]
    return len(memories) == EXAMPLES + 1 + made and BETTER in stage.ask(machine, f"gitmem read {short}")


def distil(stage: Stage) -> int:
    """An offline consolidation; the number of memories that it made."""
    stage.title("7. Many memories, fewer and better ones")
    stage.say(
        """Once a day, on this machine or in GitHub Actions, what is new is distilled: by Claude where there
        is an API key, else by rules, offline and for nothing. All of it is one sealed commit."""
    )
    before = json.loads(stage.ask("desk", "gitmem list --all --limit 0 --json"))["memories"]
    stage.run("desk", "gitmem consolidate --engine offline")
    after = json.loads(stage.ask("desk", "gitmem list --all --limit 0 --json"))["memories"]
    kept = {memory["id"] for memory in before} <= {memory["id"] for memory in after}
    stage.check(len(after) > len(before) and kept, "consolidation adds and deletes nothing")
    return len(after) - len(before)


def digest(stage: Stage) -> None:
    """The page of what is marked to share."""
    stage.title("8. A page for assistants that only browse")
    stage.say("Only memories marked with --share are on it. It is plain HTML and text, without scripts.")
    stage.run("desk", "gitmem digest page")
    stage.run("desk", "head -n 20 page/digest.txt | fold -s -w 78")
    with open(stage.path("desk", "page", "digest.txt"), encoding="utf-8") as file:
        text = file.read()
    stage.check(BETTER in text and "in a tunnel" in text, "the digest shows what is marked")
    stage.prove("Zwetschgen" not in text and "shellfish" not in text, "nothing that is not marked is on it")


def take_back(stage: Stage, short: str, made: int) -> None:
    """Forget, undo, verify."""
    stage.title("9. Nothing is lost by a slip")
    stage.run("desk", f"gitmem forget {short} --yes")
    stage.run("desk", "gitmem undo")
    stage.prove(is_untouched(stage, "desk", short, made), "the memory is back")
    stage.say(
        """And every commit can be checked, from the first one on. The stranger's is still in the history,
        under the restore that answers it, and counts for nothing:"""
    )
    said = stage.run("desk", "gitmem verify --all")
    stage.check("8 sealed, 1 vouched" in said, "verify finds eight seals and the stranger's commit")


def new_key(stage: Stage) -> None:
    """The laptop is lost: a new key, and a new device with it."""
    stage.title("10. The laptop is stolen")
    stage.say("A new key for the vault. Whoever has the old one can read what there was, and nothing new.")
    stage.run("desk", "gitmem rekey --yes")
    stage.run("desk", "gitmem write 'The new badge code hangs behind the door' && gitmem sync")
    said = stage.run("laptop", "gitmem sync", code=12)
    stage.check("join" in said, "a device with the old key is told to join again")
    stage.prove("badge" not in stage.ask("laptop", "gitmem list"), "the old key opens nothing new")


def farewell(stage: Stage) -> None:
    """What to do next."""
    stage.title("Yours in a minute")
    print(
        """
pipx install .                       from this checkout; or: uv tool install .
gitmem init                          asks for a folder and a private git remote
gitmem write 'the first thing to remember'
gitmem --help                        all commands; README.md tells more"""
    )


if __name__ == "__main__":
    sys.exit(main())
