"""The `/` commands of a chat. What they say goes to stderr: stdout is the conversation."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from edge.cli.answer import Answerer
from edge.cli.report import rate, size, summary_line
from edge.cli.session import said_of
from edge.cli.terminal import harmless
from edge.cli.tools_file import read_tools
from edge.device import peak_memory_bytes
from edge.errors import RequestError
from edge.generate_options import Message
from edge.results import Completion
from edge.sessions import SavedPlaces, Session
from edge.tools import ToolCall

__all__ = ["UNNAMED", "ChatCommands"]

UNNAMED = Path(os.devnull) / "unnamed"  # of a conversation that is never saved: nothing can be there
HELP = """\
/save [NAME]      save the conversation; from now on it has this name
/load [NAME]      go on with a saved conversation; without a name: list them
/fork NAME        go on under another name; the conversation so far stays as it is
/undo             take back the last question and its answer
/system [TEXT]    show or set the instructions before the conversation ("-": none)
/tools [FILE]     show or set what the model may call: JSON, as OpenAI's API takes it ("-": nothing)
/result TEXT      what the tool gave that the model called
/think on|off     switch the thinking of a model that can
/stats            what the conversation and the last answer took
/help             this
/quit             leave, as Ctrl-D does
\\ at the end of a line, or \"\"\" around several: a message of more than one line. //: a message that begins with /"""


class ChatCommands:
    """Commands on one conversation, which `answerer.session` is."""

    def __init__(self, answerer: Answerer) -> None:
        self._answerer = answerer
        self._last: Completion | None = None
        self._pending: list[ToolCall] = []
        self._results: list[Message] = []
        self._num_answers = self._num_tokens = 0
        self._seconds = 0.0
        self._commands: dict[str, Callable[[str], Sequence[Message] | None]] = {
            "save": self._save,
            "load": self._load,
            "fork": self._fork,
            "undo": self._undo,
            "system": self._system,
            "tools": self._tools,
            "result": self._result,
            "think": self._think,
            "stats": self._stats,
            "help": self._help,
            "quit": self._quit,
        }

    @property
    def session(self) -> Session:
        session = self._answerer.session
        if session is None:
            raise RequestError("without a chat template there is no conversation: every line is a prompt of its own")
        return session

    def run(self, line: str) -> Sequence[Message]:
        """Does what a line says that begins with /; messages for the model, if there are any.

        Raises EdgeError for what cannot be done, EOFError to leave.
        """
        name, _, rest = line[1:].strip().partition(" ")
        command = self._commands.get(name)
        if command is None:
            raise RequestError(f"no command /{name}; /help lists them, and // begins a message with /")
        return command(rest.strip()) or ()

    def answered(self, completion: Completion) -> None:
        """Remembers an answer."""
        self._last = completion
        self._pending, self._results = list(completion.tool_calls), []
        self._num_answers += 1
        self._num_tokens += completion.usage.completion_tokens
        self._seconds += completion.timings.decode_seconds or 0.0
        if self._pending and self._answerer.model.takes_results:
            names = ", ".join(harmless(call.name) for call in self._pending)
            _say(f"waits for what {names} gives: /result TEXT")

    def close(self) -> None:
        """Saves what is new of a conversation that has a name."""
        session = self._answerer.session
        if session is not None and session.path != UNNAMED:
            session.close()

    def _save(self, name: str) -> None:
        if name:
            self._rename(name)
        elif self.session.path == UNNAMED:
            raise RequestError("/save needs a name, the conversation has none yet")
        _say(f"saved: {harmless(str(self.session.save()))}")

    def _fork(self, name: str) -> None:
        if not name:
            raise RequestError("/fork needs a name")
        self._rename(name)
        _say(f"this is {name} now")

    def _rename(self, name: str) -> None:
        fork = self.session.fork(name)
        self.close()
        self._answerer.session = fork

    def _load(self, name: str) -> None:
        places = SavedPlaces.of(os.environ)
        if not name:
            names = [path.stem for path in places.sessions()]
            _say("saved conversations: " + (", ".join(names) or "none"))
            return
        places.find(name)  # a name that is not there would begin a new one
        start = time.perf_counter()
        loaded = self._answerer.model.session(name, adapter=self._answerer.adapter)
        self.close()
        self._answerer.session = loaded
        self._pending = []
        _say(said_of(loaded, time.perf_counter() - start))

    def _undo(self, rest: str) -> None:
        messages = self.session.messages
        asked = [index for index, message in enumerate(messages) if message["role"] == "user"]
        if rest or not asked:
            raise RequestError("/undo takes nothing" if rest else "there is nothing to take back")
        self.session.trim(asked[-1])
        self._pending = []
        _say(f"taken back: {harmless(_shortened(str(messages[asked[-1]].get('content'))))}")

    def _system(self, text: str) -> None:
        if text:
            self._answerer.set_system(None if text == "-" else text)
        said = self._answerer.system
        _say("system: none" if said is None else f"system: {harmless(said)}")

    def _tools(self, path: str) -> None:
        if path:
            self._answerer.set_tools([] if path == "-" else read_tools(path))
        tools = self._answerer.tools
        if tools is None and self._answerer.session is not None:
            tools = self._answerer.session.tools
        if tools is None:
            _say("tools: those that the chat template names, if any")
        else:
            names = (str(tool.get("function", tool).get("name")) for tool in tools)
            _say("tools: " + (", ".join(map(harmless, names)) or "none"))

    def _result(self, text: str) -> Sequence[Message]:
        if not self._pending:
            raise RequestError("the model waits for no result")
        call = self._pending.pop(0)
        self._results.append({"role": "tool", "tool_call_id": call.id, "name": call.name, "content": text})
        if self._pending:
            _say(f"next: {self._pending[0].name}")
            return ()
        results, self._results = self._results, []
        return results

    def _think(self, text: str) -> None:
        if text not in ("on", "off"):
            raise RequestError("/think on, or /think off")
        self._answerer.set_thinking(text == "on")
        _say(f"thinking: {text}")

    def _stats(self, rest: str) -> None:
        del rest
        session, model = self.session, self._answerer.model
        name = "no name" if session.path == UNNAMED else session.name
        _say(
            f"conversation: {name} · {len(session.messages)} messages · {len(session.tokens)} of {model.context} "
            f"tokens at the last answer · {session.num_kept_tokens} of them in memory"
        )
        speed = f" · {rate(self._num_tokens / self._seconds)}" if self._seconds else ""
        _say(f"answers here: {self._num_answers} · {self._num_tokens} tokens{speed} · peak {size(peak_memory_bytes())}")
        if self._last is not None:
            _say("last " + summary_line(self._last, model.weights, self._answerer.template_note))

    def _help(self, rest: str) -> None:
        del rest
        _say(HELP)

    def _quit(self, rest: str) -> None:
        raise EOFError


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 70 else line[:70] + " ..."


def _say(text: str) -> None:
    print(text, file=sys.stderr)
