"""Turns a conversation into a prompt with the chat template of a model file."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from types import TracebackType
from typing import Any, cast

from jinja2 import TemplateSyntaxError, meta
from jinja2 import exceptions as jinja_exceptions

from edge.errors import RequestError, TemplateError
from edge.templates.budget import BUDGET, Budget, OverBudget
from edge.templates.sandbox import Environment

__all__ = ["ChatTemplate", "render"]

MAX_SOURCE_CHARACTERS = 128 << 10
MAX_DEPTH = 64
_MAX_ERROR = 400
_FILE = "<template>"  # what Jinja2 calls a template without a file, in tracebacks


class ChatTemplate:
    """A compiled template. May be rendered from several threads."""

    def __init__(self, source: str) -> None:
        """Raises TemplateError with the line when the template is not Jinja2, too long, or loads other templates."""
        if len(source) > MAX_SOURCE_CHARACTERS:
            raise TemplateError(
                f"chat template: {len(source)} characters long, at most {MAX_SOURCE_CHARACTERS} are allowed"
            )
        try:
            self._environment = Environment()
            self._template = self._environment.from_string(source)
        except TemplateSyntaxError as error:
            raise TemplateError(f"chat template, line {error.lineno}: {error.message}") from None
        except (jinja_exceptions.TemplateError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise TemplateError(f"chat template: {_reason(error)}") from None
        self._source = source

    @cached_property
    def variables(self) -> frozenset[str]:
        """Names that the template reads and does not set itself, as `messages` and `tools`."""
        try:
            return frozenset(meta.find_undeclared_variables(self._environment.parse(self._source)))
        except (jinja_exceptions.TemplateError, RecursionError, MemoryError) as error:  # compiled, with more stack left
            raise TemplateError(f"chat template: {_reason(error)}") from None

    def render(
        self,
        messages: Iterable[Mapping[str, object]],
        *,
        bos_token: str = "",
        eos_token: str = "",
        add_generation_prompt: bool = True,
        tools: Iterable[Mapping[str, object]] | None = None,
        extra: Mapping[str, object] | None = None,
        shield: Callable[[str], str] | None = None,
        now: Callable[[], datetime] = datetime.now,
        clock: Callable[[], float] = time.thread_time,
    ) -> str:
        """The prompt. `extra`: more variables, data only. `shield` is applied to every string of messages and tools
        (`Tokenizer.shield`), except roles, types and keys that are plain words: templates compare them with theirs.
        `now`: what templates that write the date see. `clock`: seconds, for the time limit; processor time by
        default, so that a busy machine does not fail a good template.

        Raises TemplateError with the line when the template fails, refuses the conversation, or asks for more than
        the budget; RequestError when the conversation is not plain data.
        """
        data = _Data(shield)
        context: dict[str, Any] = {"messages": data.plain(list(messages), "messages")}
        context["tools"] = None if tools is None else data.plain(list(tools), "tools")
        context["documents"] = None
        context |= {"bos_token": bos_token, "eos_token": eos_token, "add_generation_prompt": add_generation_prompt}
        context |= {name: _Data(None).plain(value, name) for name, value in (extra or {}).items()}
        context["strftime_now"] = _strftime(now)
        budget = Budget(data.characters, clock)
        token = BUDGET.set(budget)
        try:
            return self._render(context, budget)
        finally:
            BUDGET.reset(token)

    def _render(self, context: dict[str, Any], budget: Budget) -> str:
        parts: list[str] = []
        size = 0
        try:
            for part in self._template.generate(context):
                size += len(part)
                if size > budget.max_output:
                    raise OverBudget(f"it writes more than {budget.max_output} characters")
                parts.append(part)
        except Exception as error:
            line = _line(error.__traceback__)
            where = "chat template" if line is None else f"chat template, line {line}"
            raise TemplateError(f"{where}: {_reason(error)}") from None
        return "".join(parts)


def render(
    template_source: str,
    messages: Iterable[Mapping[str, object]],
    *,
    bos_token: str,
    eos_token: str,
    add_generation_prompt: bool = True,
    tools: Iterable[Mapping[str, object]] | None = None,
    extra: Mapping[str, object] | None = None,
    shield: Callable[[str], str] | None = None,
) -> str:
    """Compile and render once; see ChatTemplate."""
    return ChatTemplate(template_source).render(
        messages,
        bos_token=bos_token,
        eos_token=eos_token,
        add_generation_prompt=add_generation_prompt,
        tools=tools,
        extra=extra,
        shield=shield,
    )


class _Data:
    """Copies of what the caller passes: dicts, lists, texts and numbers, so that a template meets nothing else."""

    def __init__(self, shield: Callable[[str], str] | None) -> None:
        self._shield = shield
        self.characters = 0

    def plain(self, value: object, where: str, depth: int = 0) -> Any:
        if depth > MAX_DEPTH:
            raise RequestError(f"{where} is nested more than {MAX_DEPTH} deep")
        self.characters += 1
        if isinstance(value, str):
            self.characters += len(value)
            return self._shielded(value, word=where.endswith((".role", ".type")))
        if value is None or isinstance(value, (bool, int, float)):
            self.characters += 8
            return value
        if isinstance(value, Mapping):
            mapping = cast("Mapping[object, object]", value)
            return {
                self._key(key, where): self.plain(item, f"{where}.{key}", depth + 1) for key, item in mapping.items()
            }
        if isinstance(value, (list, tuple)):
            items = cast("Sequence[object]", value)
            return [self.plain(item, f"{where}[{index}]", depth + 1) for index, item in enumerate(items)]
        raise RequestError(f"{where} is of type {type(value).__name__}, it must be text, a number, a list or a dict")

    def _key(self, key: object, where: str) -> str:
        if not isinstance(key, str):
            raise RequestError(f"{where} has a key of type {type(key).__name__}, it must be text")
        self.characters += len(key)
        return self._shielded(key, word=True)

    def _shielded(self, text: str, *, word: bool) -> str:
        return str(text) if self._shield is None or (word and text.isidentifier()) else self._shield(text)


def _strftime(now: Callable[[], datetime]) -> Callable[[str], str]:
    def strftime_now(format: str) -> str:
        # The C library pads as far as it is asked to.
        if not isinstance(format, str) or len(format) > 200 or re.search(r"%[^a-zA-Z%]*\d", format):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise OverBudget("it formats the date with a width")
        return now().strftime(format)

    strftime_now.allowed_in_templates = True  # type: ignore[attr-defined]
    return strftime_now


def _line(traceback: TracebackType | None) -> int | None:
    """The line of the template where an error happened."""
    line = None
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == _FILE:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line


def _reason(error: BaseException) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply or calls itself without end"
    text = str(error) or type(error).__name__
    return text if len(text) <= _MAX_ERROR else text[:_MAX_ERROR] + " ..."
