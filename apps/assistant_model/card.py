"""The model card that travels in the file's metadata."""

from __future__ import annotations

from collections.abc import Mapping

from apps.assistant_model.data import TEMPLATES


def model_card(record: Mapping[str, object], scores: Mapping[str, float]) -> str:
    """Markdown: what the model does, what it learnt from, how well it does, and what it cannot do."""
    tools = sorted({template.tool for template in TEMPLATES if template.tool is not None})
    return f"""\
# edge assistant

Turns one spoken-style English request for the home or the desk into compact JSON tool calls,
`[{{"name":...,"arguments":{{...}}}}]`, or into one short sentence: small talk, a question back when something is
missing, a refusal when no tool fits.

Tools (fixed, not read from the prompt): {", ".join(tools)}.

Data: {record["examples"]} generated conversations (seed {record["data_seed"]}) from
{sum(len(template.train) for template in TEMPLATES)} wordings of {len(TEMPLATES)} meanings; no text from anywhere else.
Training: {record["drill_steps"]} steps of copying random tokens, then one pass over {record["tokens"]} tokens of
requests, {record["steps"]} steps in all, seed {record["seed"]}, on a CPU.

Exact match after JSON normalisation, greedy, on {record["eval_examples"]} requests each:

| held out | float32 | Q8_0 |
|---|---|---|
| slot values never trained on, in known wordings | {scores["float.new_values"]:.1%} | {scores["q8_0.new_values"]:.1%} |
| wordings never trained on | {scores["float.new_templates"]:.1%} | {scores["q8_0.new_templates"]:.1%} |

Limits: English only; one or two calls a request; times without am, pm or a part of the day are taken as said; earlier
turns are ignored; a system message or a tool list in the prompt was never trained on. It makes mistakes: check a call
before acting on it. Wordings unlike the generated ones fail more often than the table says.

Licence: Apache-2.0, data and weights.
"""
