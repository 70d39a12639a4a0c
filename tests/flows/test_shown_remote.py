"""A password in the remote's address, which may be a token, is shown nowhere."""

from machine import Machine


def test_no_command_shows_it(tmp_path):
    machine = Machine.new(tmp_path).init()
    machine.git("remote", "add", "origin", "http://ada:swordfish@127.0.0.1:9/x.git")
    for line in ("status", "status --json", "doctor", "doctor --json", "sync", "sync --json", "rekey --yes"):
        done = machine.run(*line.split(), code=None)
        assert "swordfish" not in done.out + done.err, line
        if line.split()[0] in ("status", "doctor"):
            assert "http://127.0.0.1:9/x.git" in done.out, line
