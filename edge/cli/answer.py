"""Shows an answer while it is made: streamed text on stdout, progress and the measured line on stderr."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from edge.cli.interrupt import Interrupt, cancelling
from edge.cli.progress import ProgressBar
from edge.cli.report import as_json, summary_line
from edge.cli.screen import Screen
from edge.cli.terminal import harmless
from edge.errors import RequestError
from edge.generate_options import Message, Tool
from edge.loading import load
from edge.model import Model
from edge.results import Completion
from edge.sessions import Session
from edge.stream import PrefillProgress, Stream


def load_with_progress(name: str | None, **options: Any) -> Model:
    """edge.load with a progress bar on a terminal, and its notes. options: its keywords."""
    with ProgressBar("loading", " MiB", 2**20) as bar:
        model = load(name, on_progress=bar, **options)
    weights = model.weights
    prompts = None if model.prefill is None else model.prefill.fallback
    for note in (model.tuning.note, weights.note, weights.streaming_note, prompts):
        if note is not None:
            print(f"edge: {harmless(note)}", file=sys.stderr)
    return model


class Answerer:
    """Answers with one model and one set of options. Ctrl-C ends an answer, not the program."""

    def __init__(
        self,
        model: Model,
        *,
        raw: bool,
        system: str | None,
        tools: Sequence[Tool] | None,
        options: Mapping[str, Any],
        templating: Mapping[str, Any],
        session: Session | None = None,
        adapter: str | None = None,
        screen: Screen | None = None,
    ) -> None:
        """options: how tokens are chosen; templating: how the prompt is made; adapter: its name. Raises RequestError
        for what the model's template cannot do."""
        model.check_writes()
        self.model = model
        self.session = session
        self.adapter = adapter
        self.tools = tools
        self.uses_template = not raw and model.chat_template is not None
        self.template_note = (
            "no chat template (--raw)" if raw
            else "chat template of the file" if self.uses_template
            else "no chat template in the file"
        )  # fmt: skip
        self._raw = raw
        self._said: set[str] = set()
        self._options = options
        self._templating = {name: value for name, value in templating.items() if value is not None}
        self._first_system = system  # for a conversation that begins
        self._screen = Screen() if screen is None else screen
        for warning in model.warnings:
            print(f"edge: warning: {warning}", file=sys.stderr)
        needing = {"--system": system, "--tools": tools, "--session": session, **_flags(self._templating)}
        for flag, value in needing.items():
            if value is not None and not self.uses_template:
                raise RequestError(f"{flag} needs a chat template, and {model.path} has none")
        if session is not None and session.messages and system is not None and self.system != system:
            raise RequestError(f"--system: session {session.name} begins otherwise; leave it out, or name a new one")
        if tools:
            self._check_tools(tools, "--tools: ")
        if "thinking" in self._templating:
            self._check_switch("--think: ")
        if "thinking_budget" in self._templating and not model.thinks:
            raise RequestError(f"--thinking-budget: the chat template of {model.path} shows no thinking")

    @property
    def system(self) -> str | None:
        """The instructions before the conversation."""
        if self.session is None or not self.session.messages:
            return self._first_system
        first = self.session.messages[0]
        return str(first.get("content")) if first["role"] == "system" else None

    def set_system(self, text: str | None) -> None:
        """From now on."""
        self._first_system = text
        if self.session is not None and self.session.messages:
            self.session.set_system(text)

    def set_tools(self, tools: Sequence[Tool]) -> None:
        """From now on. RequestError: the template takes none."""
        if tools:
            self._check_tools(tools)
        self.tools = tools

    def set_thinking(self, on: bool) -> None:
        """From now on. RequestError: the template has no switch."""
        self._check_switch()
        self._templating["thinking"] = on

    def answer(self, messages: Sequence[Message]) -> Completion:
        """Says something more and streams the answer, then prints what it took."""
        screen = self._screen
        try:
            with (
                ProgressBar("prefill", " tokens") as bar,
                cancelling(self.model.cancel) as interrupt,
                self._stream(messages, bar, interrupt) as stream,
            ):
                for token in stream:
                    bar.wipe()
                    screen.show(token)
                completion = stream.completion()
        except BaseException:
            screen.end(failed=True)
            raise
        screen.end()
        for problem in completion.problems:
            print(f"edge: what looks like a call is text: {harmless(problem)}", file=sys.stderr)
        if completion.reasoning and not completion.text:
            print("edge: the answer ended while the model was thinking: there is no text", file=sys.stderr)
        print(summary_line(completion, self.model.weights, self.template_note), file=sys.stderr)
        self._say_note()
        return completion

    def answer_json(self, prompt: str) -> tuple[Completion, dict[str, Any]]:
        """The whole answer and the object that describes it."""
        messages: list[Message] = [{"role": "user", "content": prompt}]
        with (
            ProgressBar("prefill", " tokens") as bar,
            cancelling(self.model.cancel) as interrupt,
            self._stream(messages, bar, interrupt) as stream,
        ):
            completion = stream.completion()
        self._say_note()
        report = as_json(completion, self.model, self.template_note)
        if self.session is not None:
            report["session"] = {
                "name": self.session.name,
                "path": str(self.session.path),
                "messages": len(self.session.messages),
                "tokens": len(self.session.tokens),
                "restored_tokens": self.session.num_restored_tokens,
            }
        return completion, report

    def _say_note(self) -> None:
        """Why a prepared prompt was not used; once."""
        note = self.model.prepared_note
        if note is not None and note not in self._said:
            self._said.add(note)
            print(f"edge: {harmless(note)}", file=sys.stderr)

    def _stream(self, messages: Sequence[Message], on_prefill: PrefillProgress, interrupt: Interrupt) -> Stream:
        options: Any = {**self._options, **self._templating, "adapter": self.adapter}
        first = [] if self._first_system is None else [{"role": "system", "content": self._first_system}]
        if self.session is not None:
            # The session has what came before, the system prompt included.
            new = [*([] if self.session.messages else first), *messages]
            stream = self.session.stream_chat(new, tools=self.tools, on_prefill=on_prefill, **options)
        elif self.uses_template:
            conversation = [*first, *messages]
            stream = self.model.stream_chat(conversation, tools=self.tools, on_prefill=on_prefill, **options)
        else:
            # Without a template there are no turns: the last message is the prompt.
            prompt = messages[-1]["content"]
            stream = self.model.stream(prompt, parse_special=self._raw, on_prefill=on_prefill, **options)
        if interrupt.happened:  # while the tokenizer was built, when there was no answer to cancel yet
            stream.cancel()
        return stream

    def _check_tools(self, tools: Sequence[Tool], where: str = "") -> None:
        path = self.model.path
        if not self.model.takes_tools:
            advice = "; leave the option out" if where else ""
            raise RequestError(f"{where}the chat template of {path} never mentions tools{advice}")
        if self.model.tool_format is None:
            print(f"edge: edge does not know how the chat template of {path} writes calls: they stay text",
                  file=sys.stderr)  # fmt: skip

    def _check_switch(self, where: str = "") -> None:
        if not self.model.takes_thinking:
            raise RequestError(f"{where}the chat template of {self.model.path} has no switch for thinking")


def _flags(templating: Mapping[str, Any]) -> dict[str, Any]:
    names = {"thinking": "--think", "thinking_budget": "--thinking-budget", "tool_choice": "--tool-choice"}
    return {names[name]: value for name, value in templating.items()}
