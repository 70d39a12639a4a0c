"""What stands in the workflow files: nothing for a stranger to use, and nothing that is not needed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sysconfig

import pytest
import workflow_actions
import workflow_expressions as expressions
from workflow_runner import OIDS, load

from gitmem.flows import tool

VAULTS = ("consolidate.yml", "inbox.yml", "publish.yml")
# Each action, by the commit of its release (the newest when the files were written).
PINS = {
    workflow_actions.CHECKOUT: "v7.0.1",
    workflow_actions.UPLOAD: "v7.0.0",
    workflow_actions.DEPLOY: "v5.0.0",
}


@pytest.fixture(params=VAULTS)
def text(request, root):
    return (root / ".github" / "workflows" / request.param).read_text(encoding="utf-8")


def program(name):
    found = shutil.which(name, path=sysconfig.get_path("scripts")) or shutil.which(name)
    assert found, f"{name} is a tool of `make check`"
    return found


def run(*argv):
    env = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "NO_COLOR": "1"}
    return subprocess.run([*map(str, argv)], capture_output=True, text=True, env=env, check=False)


def test_every_file_fits_githubs_schema_and_zizmor_finds_nothing_in_any_of_them(root):
    files = sorted((root / ".github" / "workflows").glob("*.yml"))
    assert {*VAULTS, "ci.yml"} <= {path.name for path in files}
    schema = run(program("check-jsonschema"), "--builtin-schema", "vendor.github-workflows", *files)
    assert schema.returncode == 0, schema.stdout + schema.stderr
    audited = run(program("zizmor"), "--offline", "--no-progress", "--persona", "pedantic", *files)
    assert audited.returncode == 0, audited.stdout + audited.stderr
    # A file that zizmor cannot read is left out with a warning, and the rest passes.
    for path in files:
        assert re.search(rf"completed .*{re.escape(path.name)}", audited.stderr), audited.stderr


def test_the_two_judges_would_see_a_planted_fault(root, tmp_path):
    good = (root / ".github" / "workflows" / "inbox.yml").read_text(encoding="utf-8")
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(good.replace("queue: max", "quue: max"))
    assert run(program("check-jsonschema"), "--builtin-schema", "vendor.github-workflows", wrong).returncode
    wrong.write_text(good.replace("python3 -P", 'echo "${{ github.event.issue.title }}"; python3 -P'))
    said = run(program("zizmor"), "--offline", "--no-progress", "--persona", "pedantic", wrong)
    assert said.returncode != 0
    assert "template-injection" in said.stdout


def test_only_pinned_actions_are_used_and_each_says_its_release(text):
    lines = re.findall(r"uses: (\S+) # (\S+)", text)
    assert len(lines) == text.count("uses:")
    assert all(PINS[action] == release for action, release in lines)


def test_no_job_has_a_right_that_it_does_not_state_and_all_writers_wait_for_each_other(text):
    spec = load(text)
    assert spec["permissions"] == {}
    assert spec["concurrency"] == {"group": "gitmem-vault-write", "cancel-in-progress": False, "queue": "max"}
    assert all(job["permissions"] and job["timeout-minutes"] <= 30 for job in spec["jobs"].values())


def test_titles_of_runs_are_fixed(text):
    spec = load(text)
    assert spec["run-name"] == spec["name"]
    assert "${{" not in spec["run-name"]


def test_rights_are_the_least():
    rights = {
        f"{name}: {job}": made["permissions"]
        for name in VAULTS
        for job, made in load(_source(name))["jobs"].items()
    }
    assert rights == {
        "consolidate.yml: consolidate": {"contents": "write"},
        "consolidate.yml: publish": {"actions": "write"},
        "inbox.yml: ingest": {"contents": "write", "issues": "write"},
        "publish.yml: build": {"contents": "read", "pages": "read"},
        "publish.yml: deploy": {"pages": "write", "id-token": "write"},
    }


def _source(name):
    return tool.package()[f"gitmem/_workflows/{name}"].decode()


def test_secrets_reach_one_step_of_a_job_and_nothing_is_installed_or_fetched_from_then_on(text):
    for job in load(text)["jobs"].values():
        with_secrets = [at for at, step in enumerate(job["steps"]) if "secrets." in str(step)]
        assert len(with_secrets) <= 1
        for at in with_secrets:
            assert set(re.findall(r"secrets\.(\w+)", str(job["steps"][at]))) <= {
                "GITMEM_JOIN",
                "ANTHROPIC_API_KEY",
            }
            assert "run" in job["steps"][at]
            assert "pip" not in job["steps"][at]["run"]
            later = [step.get("uses", "").partition("@")[0] for step in job["steps"][at + 1 :]]
            assert set(later) <= {"actions/upload-artifact"}
    assert "secrets." not in re.sub(
        r"(?m)^\s+(?:GITMEM_JOIN|ANTHROPIC_API_KEY): \$\{\{ secrets\.\w+ \}\}$", "", text
    )


def test_only_the_consolidation_is_given_the_key_for_claude():
    assert [name for name in VAULTS if "ANTHROPIC" in _source(name)] == ["consolidate.yml"]


def test_no_expression_stands_in_a_script_and_nothing_writes_a_summary(text):
    for job in load(text)["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")
            assert "github.event" not in str(step)
    assert "STEP_SUMMARY" not in text
    assert "pull_request" not in text


def test_no_job_checks_out_the_vault(text):
    for job in load(text)["jobs"].values():
        for step in job["steps"]:
            if step.get("uses") == workflow_actions.CHECKOUT:
                assert step["with"] == {"ref": tool.NO_TOOL, "path": "tool", "persist-credentials": False}
    assert "./" not in re.sub(r"#.*", "", text)  # no action of the repository's own


@pytest.mark.parametrize("event", ["schedule", "workflow_dispatch", "issues"])
def test_where_no_commit_is_named_nothing_runs_and_in_a_vault_it_does(text, event):
    payload = {"issue": {"author_association": "OWNER"}, "repository": {"private": True}}
    for named, runs in ((tool.NO_TOOL, False), ("9c1" * 13 + "a", True)):
        spec = load(text.replace(tool.NO_TOOL, named))
        first = next(iter(spec["jobs"].values()))
        github = {"event_name": event, "event": payload}
        contexts = {"github": github, "needs": {}, "vars": {}, "inputs": {}}
        assert expressions.holds(first["if"], expressions.Scope(contexts)) is runs
        assert all("needs" in job for job in list(spec["jobs"].values())[1:])


@pytest.mark.parametrize(
    "association", ["NONE", "COLLABORATOR", "MEMBER", "CONTRIBUTOR", "FIRST_TIMER", None]
)
def test_an_issue_of_anybody_else_starts_no_job(association):
    job = load(_source("inbox.yml").replace(tool.NO_TOOL, "a" * 40))["jobs"]["ingest"]
    event = {"event_name": "issues", "event": {"issue": {"author_association": association}}}
    assert not expressions.holds(job["if"], expressions.Scope({"github": event}))


def test_a_digest_is_never_built_where_everybody_could_download_it():
    job = load(_source("publish.yml").replace(tool.NO_TOOL, "a" * 40))["jobs"]["build"]
    for event in ({"repository": {"private": False}}, {"repository": {}}, {}):
        assert not expressions.holds(job["if"], expressions.Scope({"github": {"event": event}}))


def test_the_files_of_a_vault_name_its_commit_and_a_minute_of_its_own():
    minutes = set()
    for start in range(0, 0xFFFF, 997):
        files = tool.fitted(f"{start:08x}" + "0" * 24, "b" * 40)
        assert sorted(files) == [f".github/workflows/{name}" for name in VAULTS]
        assert all(tool.NO_TOOL not in text.decode() for text in files.values())
        cron = load(files[".github/workflows/consolidate.yml"].decode())["on"]["schedule"][0]["cron"]
        minutes.add(int(cron.split()[0]))
    assert len(minutes) > 30
    assert minutes <= set(range(5, 56))  # never near the full hour


def test_fitting_twice_is_fitting_once(root, monkeypatch):
    # In a vault that gitmem runs from, the files already name a commit: that must not come into the next one.
    once = tool.fitted("5" * 32, "c" * 40)
    for name in VAULTS:
        source = tool._fitted(once[f".github/workflows/{name}"], tool.NO_TOOL, 17)
        assert source == (root / ".github" / "workflows" / name).read_bytes()
        assert len(OIDS.findall(source.decode())) == len(
            OIDS.findall(once[f".github/workflows/{name}"].decode())
        )


def test_our_own_checks_do_not_run_for_memories_that_are_pushed(root):
    # In a private copy that serves as a vault, every write would cost an hour of the owner's minutes.
    on = load((root / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))["on"]
    assert {"memories/**", ".gitmem/**"} <= set(on["push"]["paths-ignore"])
