"""--help of every command, and what shells are told."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from edge.cli.app import COMMANDS, app
from edge.cli.help_pages import GROUPS
from tests.cli.conftest import RunEdge, environment


def test_every_command_is_under_one_heading() -> None:
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_examples_that_parse_and_exit_codes(run_edge: RunEdge, name: str) -> None:
    from click.testing import CliRunner

    shown = CliRunner().invoke(app, [name, "--help"], terminal_width=100)
    assert shown.exit_code == 0
    assert "Exit codes:\n    0    done\n" in shown.output
    examples = shown.output.partition("\n  Examples:\n")[2].partition("\n\n")[0].splitlines()
    assert examples and all(f"edge {name}" in line for line in examples)
    given = [line.partition("|")[0] for line in examples]
    options = {option for line in given for option in re.findall(r"(?<= )--?[a-z][a-z0-9-]*", line)}
    command = app.get_command(app.make_context("edge", [], resilient_parsing=True), name)
    assert command is not None
    assert options <= {option for parameter in command.params for option in parameter.opts}
    assert max(map(len, shown.output.splitlines())) <= 100


def answers(shell: str, line: str, **variables: str) -> list[str]:
    env = environment({"_EDGE_COMPLETE": f"{shell}_complete", "EDGE_COMP_LINE": line, **variables})
    done = subprocess.run([sys.executable, "-m", "edge"], env=env, capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == ""
    return done.stdout.splitlines()


def models(folder: Path) -> dict[str, str]:
    for quant in ("Q4_0", "Q8_0"):
        (path := folder / "hub" / "me" / "tiny" / f"t-{quant}.gguf").parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return {"EDGE_MODELS_DIR": str(folder)}


def test_commands_options_and_models_are_completed(tmp_path: Path) -> None:
    env = models(tmp_path)
    assert answers("bash", "edge p") == ["plain,plan", "plain,pull"]
    assert answers("bash", "edge run --temp") == ["plain,--temperature"]
    assert answers("bash", "edge run as", **env) == ["plain,assistant", "file,as"]
    assert answers("bash", "edge plan ME/", **env) == ["plain,me/tiny:Q4_0", "plain,me/tiny:Q8_0", "file,ME/"]
    # Bash replaces what stands behind the last colon only.
    assert answers("bash", "edge plan me/tiny:Q8", **env) == ["plain,Q8_0", "file,Q8"]
    assert answers("bash", "edge plan me/tiny:", EDGE_COMP_BREAKS=" ", **env)[0] == "plain,me/tiny:Q4_0"
    assert answers("bash", "edge run 'an open quot", **env) == ["file,an open quot"]
    assert answers("fish", "", COMP_WORDS="edge show me", COMP_CWORD="me", **env)[0].startswith("plain")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts(run_edge: RunEdge, shell: str) -> None:
    done = run_edge("completion", shell)
    assert done.returncode == 0 and "_EDGE_COMPLETE" in done.stdout
    assert run_edge("completion", "tcsh").returncode == 2
