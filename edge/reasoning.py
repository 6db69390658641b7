"""The text in which a reasoning model thinks, parted from its answer."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ReasoningTags", "Split", "ThoughtSplitter", "tags_of"]


class ReasoningTags(NamedTuple):
    """What stands around the thinking, as the model writes it."""

    opening: str
    closing: str

    def open_at_end(self, prompt: str) -> bool:
        """Whether the template has opened the thinking itself: the answer then begins inside it."""
        return prompt.rstrip().endswith(self.opening.strip())


# In a chat template -> tags. Command R7B and Gemma 4 have their own.
_KNOWN = (
    ("<|START_THINKING|>", ReasoningTags("<|START_THINKING|>", "<|END_THINKING|>")),
    ("<|channel>", ReasoningTags("<|channel>thought\n", "<channel|>")),
    ("</think>", ReasoningTags("<think>", "</think>")),
)
# Variables by which templates switch the thinking.
SWITCHES = ("enable_thinking", "thinking")


def tags_of(template: str) -> ReasoningTags | None:
    """The tags that a chat template shows, None when it knows no thinking that edge can tell apart."""
    return next((tags for mark, tags in _KNOWN if mark in template), None)


class Split(NamedTuple):
    reasoning: str = ""
    answer: str = ""


class ThoughtSplitter:
    """Reads one answer. Thinking stands at its beginning or nowhere; the white space around it belongs to neither."""

    def __init__(self, tags: ReasoningTags, *, is_open: bool) -> None:
        """is_open: the prompt ends inside the thinking."""
        self._tags = ReasoningTags(tags.opening.strip(), tags.closing.strip())
        self._held = ""
        self._stage = "thinking" if is_open else "before"
        self._skips_space = is_open

    @property
    def stage(self) -> str:
        """ "before" anything but white space, "thinking", or "answer"."""
        return self._stage

    def push(self, text: str) -> Split:
        """What is certain with this text."""
        self._held += text
        return self._run(final=False)

    def finish(self) -> Split:
        """The rest, when no more text comes."""
        return self._run(final=True)

    def _run(self, *, final: bool) -> Split:
        reasoning = ""
        if self._stage == "before":
            self._begin(final)
        if self._stage == "thinking":
            reasoning = self._think(final)
        answer = ""
        if self._stage == "answer":
            if self._skips_space:
                self._held = self._held.lstrip()
            answer, self._held = self._held, ""
            self._skips_space = self._skips_space and not answer
        return Split(reasoning, answer)

    def _begin(self, final: bool) -> None:
        stripped, opening = self._held.lstrip(), self._tags.opening
        if stripped.startswith(opening):
            self._stage, self._held, self._skips_space = "thinking", stripped.removeprefix(opening), True
        elif final or not opening.startswith(stripped):
            self._stage = "answer"

    def _think(self, final: bool) -> str:
        if self._skips_space:
            self._held = self._held.lstrip()
            self._skips_space = not self._held
        closing = self._tags.closing
        at = self._held.find(closing)
        if at >= 0:
            reasoning, self._held = self._held[:at].rstrip(), self._held[at + len(closing) :]
            self._stage, self._skips_space = "answer", True
            return reasoning
        held = next((n for n in range(min(len(closing) - 1, len(self._held)), 0, -1)
                     if closing.startswith(self._held[-n:])), 0)  # fmt: skip
        end = len(self._held) if final else len(self._held[: len(self._held) - held].rstrip())
        reasoning, self._held = self._held[:end], self._held[end:]
        return reasoning
