"""Stop strings in a stream are found where a search in the whole text finds them, however the stream is cut."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.stops import StopStrings

_TEXT = st.text(alphabet="ab<|é", max_size=40)
_STOPS = st.lists(st.text(alphabet="ab<|é", min_size=1, max_size=5), max_size=4)


def _reference(text: str, stops: list[str]) -> tuple[str, str | None]:
    found = [(text.index(stop) + len(stop), text.index(stop), stop) for stop in stops if stop in text]
    if not found:
        return text, None
    _, start, stop = min(found)
    return text[:start], stop


@settings(deadline=None)
@given(text=_TEXT, stops=_STOPS, cuts=st.lists(st.integers(0, 40), max_size=8))
def test_equals_search_in_whole_text(text: str, stops: list[str], cuts: list[int]) -> None:
    matcher = StopStrings(stops)
    marks = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    out = ""
    for start, end in zip(marks, marks[1:], strict=False):
        out += matcher.push(text[start:end])
        expected, _ = _reference(text, stops)
        assert expected.startswith(out)
    if not matcher.stopped:
        out += matcher.flush()
    assert (out, matcher.found) == _reference(text, stops)


@settings(deadline=None)
@given(text=_TEXT, stops=_STOPS)
def test_holds_back_no_more_than_a_possible_start(text: str, stops: list[str]) -> None:
    matcher = StopStrings(stops)
    out = matcher.push(text)
    if not matcher.stopped:
        held = text[len(out) :]
        assert not held or any(stop.startswith(held) and stop != held for stop in stops)


def test_nothing_follows_a_stop_string() -> None:
    matcher = StopStrings(["END"])
    assert matcher.push("one EN") == "one "
    assert matcher.push("D two") == ""
    assert matcher.stopped and matcher.found == "END"
    assert matcher.push("three") == "" and matcher.flush() == ""


def test_held_text_comes_out_when_it_was_no_stop_string() -> None:
    matcher = StopStrings(["</s>"])
    assert matcher.push("a </") == "a "
    assert matcher.push("b>") == "</b>"
    assert matcher.push("<") == ""
    assert matcher.flush() == "<"


def test_without_stop_strings_text_passes() -> None:
    matcher = StopStrings([])
    assert matcher.push("a") == "a" and matcher.flush() == "" and not matcher.stopped


def test_empty_stop_string_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one character"):
        StopStrings(["a", ""])


def test_long_stop_string_costs_linear_time() -> None:
    matcher = StopStrings(["a" * 50_000 + "b"])
    out = "".join(matcher.push("a" * 1000) for _ in range(200))
    assert len(out) == 150_000
    assert matcher.push("b") == "" and matcher.stopped
