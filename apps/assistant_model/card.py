"""The model card that travels in the file's metadata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.assistant_model.data import KINDS, TEMPLATES
from apps.assistant_model.template_extra import EXTRA_TOOLS
from apps.assistant_model.tools import MORE_TOOLS, TOOLS

SETS = {
    "new_values": "slot values never trained on, in known wordings",
    "new_templates": "wordings never trained on",
    "hand_written": "200 requests written by hand",
    "renamed": "the same wordings, every tool and argument renamed, a third of the tools removed",
    "reworded": "the same, and most descriptions in other words",
    "assistant": "wordings never trained on, behind the list of the assistant app",
}


def score_table(scores: Mapping[str, float]) -> str:
    """Markdown: exact match by set and weight format, and the share of invalid JSON. `scores` by "<format>.<set>"."""
    formats = list(dict.fromkeys(key.split(".")[0] for key in scores))
    rows = ["| set | " + " | ".join(formats) + " |", "|---" * (len(formats) + 1) + "|"]
    for kind in KINDS:
        rows.append(f"| {SETS[kind]} | " + " | ".join(f"{scores[f'{kept}.{kind}']:.1%}" for kept in formats) + " |")
    rows.append(
        "| invalid JSON, all sets | " + " | ".join(f"{scores[f'{kept}.invalid']:.2%}" for kept in formats) + " |"
    )
    return "\n".join(rows)


def total(record: Mapping[str, Any], key: str) -> int:
    """A count of the run and of the training that it went on from."""
    return int(record[key]) + int(record.get("before", {}).get(key, 0))


def _last(record: Mapping[str, Any]) -> str:
    if not record.get("before"):
        return ""
    return (
        f"The last {record['conversations']} conversations ({record['steps']} steps, at lower rates) teach what the\n"
        "assistant app offers.\n"
    )


def model_card(record: Mapping[str, Any], scores: Mapping[str, float]) -> str:
    """Markdown: what the model does, what it learnt from, how well it does, and what it cannot do."""
    table = f"\nExact match after JSON normalisation, greedy:\n\n{score_table(scores)}\n" if scores else ""
    return f"""\
# edge assistant

Turns one spoken-style English request for the home or the desk into compact JSON tool calls,
`[{{"name":...,"arguments":{{...}}}}]`, one or several, or into one short sentence: small talk, a question back when
something is missing, a refusal when no tool fits. The tools are those that the prompt lists; without a list these
{len(TOOLS)}: {", ".join(tool.name for tool in TOOLS)}. It also knows those that the assistant app lists besides:
{", ".join(tool.name for tool in MORE_TOOLS)}.

Data: {total(record, "conversations")} generated conversations, seed {record["data_seed"]}, behind random tool lists,
from {sum(len(template.train) for template in TEMPLATES)} wordings of {len(TEMPLATES)} meanings and
{len(EXTRA_TOOLS)} more tools; tools, arguments and descriptions renamed at random. No text from anywhere else.
Training: {record["drill_steps"]} steps of copying random tokens, then requests, with such a step in sixteen;
{total(record, "tokens")} tokens in {total(record, "steps")} steps in all, seed {record["seed"]}, on a CPU.
{_last(record)}{table}
Limits: English only; times without am, pm or a part of the day are taken as said; a question back is remembered for one
turn, nothing else is. It makes mistakes: check a call before acting on it. Wordings unlike the generated ones fail more
often than the table says. If one of several requests needs a tool that is not listed, all are refused.

Licence: Apache-2.0, data and weights.
"""
