"""`edge completion SHELL`: completion of commands, options and the names of models, by click's machinery."""

from __future__ import annotations

import os
import shlex

import click
from click.shell_completion import BashComplete, CompletionItem, FishComplete, ShellComplete, ZshComplete

from edge.cli.options import debug_option

# click hands Bash's own words over, which break at the colons that names of models have: "OWNER/REPO:Q4_0" is three.
# The whole line is handed over instead, and of what completes a word only what comes behind its last colon is answered.
_BASH = """\
%(complete_func)s() {
    local IFS=$'\\n' response completion type value
    response=$(env EDGE_COMP_LINE="${COMP_LINE:0:COMP_POINT}" EDGE_COMP_BREAKS="$COMP_WORDBREAKS" \\
        %(complete_var)s=bash_complete $1)
    for completion in $response; do
        IFS=',' read -r type value <<< "$completion"
        if [[ $type == file || $type == dir ]]; then
            compopt -o default
        else
            COMPREPLY+=("$value")
        fi
    done
    return 0
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""


class _Bash(BashComplete):
    source_template = _BASH

    def get_completion_args(self) -> tuple[list[str], str]:
        line = os.environ.get("EDGE_COMP_LINE", "")
        lexer = shlex.shlex(line, posix=True, punctuation_chars=False)
        lexer.whitespace_split, lexer.commenters = True, ""
        words: list[str] = []
        try:
            words.extend(lexer)
        except ValueError:  # a quotation that is still open
            words.append(lexer.token)
        incomplete = words.pop() if words and not line[-1:].isspace() else ""
        return words[1:], incomplete

    def format_completion(self, item: CompletionItem[str]) -> str:
        _, incomplete = self.get_completion_args()
        prefix, colon, _ = incomplete.rpartition(":")
        if colon and ":" in os.environ.get("EDGE_COMP_BREAKS", ":"):
            return f"{item.type},{item.value.removeprefix(prefix + colon)}"
        return f"{item.type},{item.value}"


class _Fish(FishComplete):
    # click splits at every comma, which cuts what is said of an option at its first one.
    source_template = FishComplete.source_template.replace('split "," ', 'split --max 1 "," ')


_SHELLS: dict[str, type[ShellComplete]] = {"bash": _Bash, "zsh": ZshComplete, "fish": _Fish}
_VARIABLE = "_EDGE_COMPLETE"


@click.command("completion")
@click.argument("shell", type=click.Choice(tuple(_SHELLS)))
@debug_option
def command(shell: str) -> None:
    """Print the lines that let SHELL complete commands, options and the names of models.

    \b
    bash   eval "$(edge completion bash)"              in ~/.bashrc
    zsh    eval "$(edge completion zsh)"               in ~/.zshrc
    fish   edge completion fish > ~/.config/fish/completions/edge.fish
    """
    from edge.cli.app import app

    click.echo(_SHELLS[shell](app, {}, "edge", _VARIABLE).source(), nl=False)


def complete() -> str | None:
    """What a shell asks for by its variable, as text for it; None when no shell asks."""
    shell, _, instruction = os.environ.get(_VARIABLE, "").partition("_")
    if instruction != "complete" or shell not in _SHELLS:
        return None
    from edge.cli.app import app

    return _SHELLS[shell](app, {}, "edge", _VARIABLE).complete()
