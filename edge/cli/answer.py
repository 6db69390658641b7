"""Shows an answer while it is made: streamed text on stdout, progress and the measured line on stderr."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from edge.cli.interrupt import Interrupt, cancelling
from edge.cli.progress import ProgressBar
from edge.cli.report import as_json, summary_line
from edge.cli.terminal import harmless
from edge.errors import EdgeError, RequestError
from edge.generate_options import Tool
from edge.loading import load
from edge.model import Model
from edge.results import Completion
from edge.sessions import Session
from edge.stream import PrefillProgress, Stream


def load_with_progress(name: str | None, **options: Any) -> Model:
    """edge.load with a progress bar on a terminal, and its notes. options: its keywords."""
    with ProgressBar("loading", " MiB", 2**20) as bar:
        model = load(name, on_progress=bar, **options)
    for note in (model.tuning.note, model.weights.note):
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
        session: Session | None = None,
    ) -> None:
        self.model = model
        self.session = session
        self.uses_template = not raw and model.chat_template is not None
        self.template_note = (
            "no chat template (--raw)" if raw
            else "chat template of the file" if self.uses_template
            else "no chat template in the file"
        )  # fmt: skip
        self._raw = raw
        self._said: set[str] = set()
        self._options = options
        self._tools = tools
        self._system = [] if system is None else [{"role": "system", "content": system}]
        for warning in model.warnings:
            print(f"edge: warning: {warning}", file=sys.stderr)
        if system is not None and not self.uses_template:
            raise RequestError(f"--system needs a chat template, and {model.path} has none")
        if tools is not None and not self.uses_template:
            raise RequestError(f"--tools needs a chat template, and {model.path} has none")
        if session is not None and not self.uses_template:
            raise RequestError(f"--session needs a chat template, and {model.path} has none")
        if session is not None and session.messages:
            if self._system not in ([], [dict(session.messages[0])]):
                raise RequestError(
                    f"--system: session {session.name} begins otherwise; leave it out, or name a new one"
                )
        if tools and not model.takes_tools:
            raise RequestError(f"--tools: the chat template of {model.path} never mentions tools; leave the option out")

    def answer(self, messages: Sequence[Mapping[str, Any]]) -> Completion:
        """Streams the answer to the last message, then prints what it took."""
        out = sys.stdout
        terminal = out.isatty()
        if not terminal and isinstance(out, io.TextIOWrapper):
            out.reconfigure(errors="backslashreplace")  # an output that is not UTF-8 must not end the answer
        at_line_start = True
        try:
            with (
                ProgressBar("prefill", " tokens") as bar,
                cancelling(self.model.cancel) as interrupt,
                self._stream(messages, bar, interrupt) as stream,
            ):
                for token in stream:
                    bar.wipe()
                    text = harmless(token.text) if terminal else token.text
                    if text:
                        out.write(text)
                        out.flush()
                        at_line_start = text.endswith("\n")
                completion = stream.completion()
        except EdgeError:
            if not at_line_start:
                out.write("\n")  # what was said stands on a line of its own, before the error
            raise
        if not at_line_start or not completion.text:
            out.write("\n")
        out.flush()
        print(summary_line(completion, self.model.weights, self.template_note), file=sys.stderr)
        self._say_note()
        return completion

    def answer_json(self, prompt: str) -> tuple[Completion, dict[str, Any]]:
        """The whole answer and the object that describes it."""
        messages = [{"role": "user", "content": prompt}]
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

    def _stream(
        self, messages: Sequence[Mapping[str, Any]], on_prefill: PrefillProgress, interrupt: Interrupt
    ) -> Stream:
        options: Any = self._options
        if self.session is not None:
            # The session has what came before, the system prompt included.
            new = [*([] if self.session.messages else self._system), messages[-1]]
            stream = self.session.stream_chat(new, tools=self._tools, on_prefill=on_prefill, **options)
        elif self.uses_template:
            conversation = [*self._system, *messages]
            stream = self.model.stream_chat(conversation, tools=self._tools, on_prefill=on_prefill, **options)
        else:
            # Without a template there are no turns: the last message is the prompt.
            prompt = messages[-1]["content"]
            stream = self.model.stream(prompt, parse_special=self._raw, on_prefill=on_prefill, **options)
        if interrupt.happened:  # while the tokenizer was built, when there was no answer to cancel yet
            stream.cancel()
        return stream
