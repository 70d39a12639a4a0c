"""The runner itself does what GitHub does, where the other tests lean on it."""

from __future__ import annotations

import json
import subprocess

import pytest
from workflow_runner import Host

FILE = """
name: probe
run-name: probe
on:
  workflow_dispatch:
  issues: {{types: [opened]}}
permissions: {{}}
concurrency: {{group: probe, cancel-in-progress: false{queue}}}
defaults: {{run: {{shell: bash}}}}
jobs:
  one:
    permissions: {{contents: read}}
    runs-on: ubuntu-24.04
    outputs: {{said: "${{{{ steps.first.outputs.said }}}}"}}
    steps:
      - id: first
        env: {{KEY: "${{{{ secrets.KEY }}}}", TITLE: "${{{{ github.event.issue.title }}}}"}}
        run: {run}
      - if: steps.first.outputs.said == 'yes'
        run: echo second $KEY
  two:
    needs: one
    if: needs.one.outputs.said == 'yes'
    permissions: {{contents: read}}
    runs-on: ubuntu-24.04
    steps:
      - run: echo two
"""


@pytest.fixture
def probe(github, tmp_path):
    """Puts a workflow file on the branch of a repository; its Actions."""
    repo = github.repository("ada/probe")
    repo.secrets["KEY"] = "hush-hush"

    def put(run, queue=", queue: max"):
        work = tmp_path / "work"
        folder = work / ".github" / "workflows"
        folder.mkdir(parents=True)
        (folder / "probe.yml").write_text(FILE.format(run=json.dumps(run), queue=queue))
        for argv in (
            ["init", "-qb", "main"],
            ["add", "-A"],
            ["commit", "-qm", "x"],
            ["push", "-q", repo.place, "main"],
        ):
            subprocess.run(["git", "-C", work, *argv], check=True)
        return Host(github, repo, tmp_path / "actions")

    return put


def test_steps_jobs_conditions_and_outputs_follow_each_other(probe):
    (run,) = probe('echo "said=yes" >> "$GITHUB_OUTPUT"').start("workflow_dispatch")
    assert (run.result, run.jobs["two"].result) == ("success", "success")
    assert "second" in run.log


def test_a_failed_step_ends_the_job_and_those_that_need_it(probe):
    (run,) = probe("false | true").start("workflow_dispatch")  # pipefail
    assert (run.result, run.jobs["two"].result) == ("failure", "skipped")
    assert "second" not in run.log


def test_the_log_masks_secrets_and_shows_everything_else(probe):
    (run,) = probe('echo "key $KEY and word"').start("workflow_dispatch")
    assert "key *** and word" in run.log
    assert "hush-hush" not in run.log


def test_the_log_shows_what_stands_in_the_environment_of_a_step(probe):
    # So a title in `env:` would be seen by the tests that look for it in the log.
    host = probe("true")
    host.issue("xylophone", "body")
    (run,) = host.drain()
    assert "TITLE: xylophone" in run.log


def test_a_title_inside_a_script_runs(probe, tmp_path):
    # The hole that our files do not have: the tests would see it.
    host = probe('echo "${{ github.event.issue.title }}"')
    host.env["PWNED"] = str(tmp_path / "pwned")
    host.issue('"; touch "$PWNED"; echo "', "body")
    host.drain()
    assert (tmp_path / "pwned").exists()


def test_workflow_commands_in_the_output_are_obeyed_and_reported(probe):
    (run,) = probe("printf '::add-mask::word\\n%s word\\n::set-env name=X::y\\n' a").start(
        "workflow_dispatch"
    )
    assert run.commands == ["::add-mask::word", "::set-env name=X::y"]
    assert "a ***" in run.log


def test_without_queue_max_a_third_run_takes_the_place_of_the_second(probe):
    host = probe("true", queue="")
    for number in range(4):
        host.issue(f"number {number}", "")
    host.drain()
    assert [run.result for run in host.runs] == ["success", "cancelled", "cancelled", "success"]


def test_with_it_all_of_them_run(probe):
    host = probe("true")
    for number in range(4):
        host.issue(f"number {number}", "")
    host.drain()
    assert [run.result for run in host.runs] == ["success"] * 4


def test_secrets_are_those_of_the_moment_when_the_run_was_queued(probe):
    host = probe('[ "$KEY" = hush-hush ]')
    host.issue("x", "y")
    host.repo.secrets["KEY"] = "later"
    assert [run.result for run in host.drain()] == ["success"]
