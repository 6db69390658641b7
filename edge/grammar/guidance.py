"""The one place that imports llguidance: its limits, and its errors as ours."""

from __future__ import annotations

import importlib.util
import re
from typing import TYPE_CHECKING

from edge.errors import RequestError

if TYPE_CHECKING:
    from llguidance import LLMatcher, LLParserLimits, LLTokenizer

__all__ = ["can_hold", "check_grammar", "limits", "matcher_class", "tokenizer_class"]

# Work is counted, not timed, so that the same request always ends alike. In llguidance's own figures:
_LEXER_FUEL = 1_000_000  # to build the lexer: about 20 ms
_STEP_LEXER_FUEL = 200_000  # in a step: about 14 ms
_STEP_ITEMS = 50_000  # of the parser in a step: about 3 ms
_ROW_ITEMS = 2_000  # that may stand side by side
_LEXER_STATES = 20_000  # of 1 to 2 KiB each, over the whole answer
_GRAMMAR_SYMBOLS = 200_000

_SOURCE_LINE = re.compile(r"\d+ \| ")
_MISSING = "structured output needs llguidance, which is not installed: pip install 'edge-rt[grammar]'"


def can_hold() -> bool:
    """Whether llguidance is installed."""
    return importlib.util.find_spec("llguidance") is not None


def matcher_class() -> type[LLMatcher]:
    """RequestError: llguidance is not installed."""
    try:
        from llguidance import LLMatcher
    except ModuleNotFoundError as error:
        raise RequestError(_MISSING) from error
    return LLMatcher


def tokenizer_class() -> type[LLTokenizer]:
    """RequestError: llguidance is not installed."""
    try:
        from llguidance import LLTokenizer
    except ModuleNotFoundError as error:
        raise RequestError(_MISSING) from error
    return LLTokenizer


def limits() -> LLParserLimits:
    from llguidance import LLParserLimits

    return LLParserLimits(
        max_items_in_row=_ROW_ITEMS,
        initial_lexer_fuel=_LEXER_FUEL,
        step_lexer_fuel=_STEP_LEXER_FUEL,
        step_max_items=_STEP_ITEMS,
        max_lexer_states=_LEXER_STATES,
        max_grammar_size=_GRAMMAR_SYMBOLS,
        verbose_errors=False,  # they would hold the whole grammar
    )


def check_grammar(text: str, what: str) -> None:
    """Refuses a grammar in llguidance's own form that it does not take whole: a warning is an error too.

    what: the keyword that the grammar came with, named in the RequestError.
    """
    _, messages = matcher_class().validate_grammar_with_warnings(text, None, limits=limits())
    # Token ids in a grammar are looked at when it is compiled for a vocabulary.
    found = [message for message in messages if not message.startswith("no tokenizer")]
    if found:
        raise RequestError(f"{what}: {one_line(found[0])}")


def one_line(message: str) -> str:
    """A message of llguidance without its picture of the place, cut where it is long."""
    lines = [line.strip() for line in message.replace("<non-verbose/>", "").splitlines()]
    text = " ".join(line for line in lines if line.strip("^ ") and not _SOURCE_LINE.match(line))
    return text if len(text) <= 300 else text[:300] + "..."
