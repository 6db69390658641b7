"""How one model's chat template is used: messages and tools to a prompt, and what the answer to it may hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from edge.after_thinking import after_thinking
from edge.answer import AnswerForm
from edge.engine import Constraint
from edge.errors import RequestError
from edge.forcing import Forcing, ForcingRules
from edge.generate_options import ChatOptions, GenerateOptions, Message, TemplateOptions, Tool
from edge.reasoning import SWITCHES, tags_of
from edge.templates import ChatTemplate
from edge.tokenizer import Tokenizer
from edge.tools import Call, Choice, ToolFormat, choice_of, format_of, function_tools
from edge.tools.call import MalformedCall, json_value

if TYPE_CHECKING:
    from edge.grammar import Grammar

__all__ = ["ChatPrompt", "ChatPrompts", "common_beginning", "shared_beginning", "split_chat_options"]

MAX_THINKING_BUDGET = 2**31 - 1
_FORMS = ("schema", "regex", "grammar")
_OURS = frozenset(("messages", "tools", "documents", "bos_token", "eos_token", "add_generation_prompt", "strftime_now"))
_TOOL_ROLE = re.compile(r"""["'](tool|ipython)["']""")


class ChatPrompt(NamedTuple):
    """A conversation as the model reads it. forcing: None when every token of the answer is free."""

    tokens: list[int]
    form: AnswerForm
    forcing: Forcing | None

    def held(self, constraint: Constraint, tokenizer: Tokenizer) -> Constraint:
        """The constraint as this answer obeys it: behind the thinking that the prompt has opened."""
        if self.form.tags is None or not self.form.thinks_at_once:
            return constraint
        return after_thinking(constraint, self.form.tags, tokenizer)


class ChatPrompts:
    """Makes prompts for one model."""

    def __init__(self, source: str, tokenizer: Tokenizer, path: str) -> None:
        """Raises TemplateError when the template does not compile. path: of the model, for messages."""
        self._template = ChatTemplate(source)
        self._source = source
        self._tokenizer = tokenizer
        self._path = path
        self._knows_tool_calls = "tool_calls" in source
        self.takes_tools = "tools" in self._template.variables
        self.tool_format: ToolFormat | None = format_of(source) if self.takes_tools else None
        self.takes_results = _TOOL_ROLE.search(source) is not None
        self.tags = tags_of(source)
        self.thinking_switch = next((name for name in SWITCHES if name in self._template.variables), None)

    def read(
        self, messages: Sequence[Message], tools: Sequence[Tool] | None, options: ChatOptions
    ) -> tuple[ChatPrompt, GenerateOptions]:
        """The prompt, and what chooses the answer's tokens: among it the grammar of a call that must come.

        Raises RequestError for what the template cannot take or edge cannot honour, TemplateError.
        """
        sampling, templating = split_chat_options(options)
        checked: list[dict[str, Any]] | None = None if tools is None else function_tools(tools)
        if checked and not self.takes_tools:
            raise RequestError(f"tools: the chat template of {self._path} never mentions them; leave them out")
        held_by = next((name for name in _FORMS if sampling.get(name) is not None), None)
        choice = self._choice(templating.get("tool_choice"), checked)
        if choice.kind == "required" and held_by is not None:
            raise RequestError(f"{held_by} holds the whole answer, so tool_choice cannot demand a call in it")
        form = self.tool_format
        if choice.kind == "none":
            checked = [] if form is not None and form.has_own_tools else None
        text = self._render(messages, checked, self._variables(templating))
        thinks_at_once = self.tags is not None and self.tags.open_at_end(text)
        if not checked and not (checked is None and form is not None and form.has_own_tools):
            form = None  # nothing can be called, so that nothing is a call
        if held_by == "schema":
            form = None  # what has the form that was asked for is no call, whatever it looks like
        names = None if checked is None else frozenset(str(tool["function"]["name"]) for tool in checked)
        answer_form = AnswerForm(self.tags, thinks_at_once, form, names, _single_call(templating))
        grammar = self._call_grammar(answer_form, choice, checked)
        if grammar is not None:
            sampling["grammar"] = grammar
        is_held = held_by is not None or grammar is not None
        return ChatPrompt(
            self._encoded(text), answer_form, self._forcing(answer_form, choice, templating, is_held)
        ), sampling

    def tokens(self, messages: Sequence[Message], tools: Sequence[Tool] | None) -> list[int]:
        """The prompt alone."""
        return self.read(messages, tools, {})[0].tokens

    def _choice(self, value: Any, tools: list[dict[str, Any]] | None) -> Choice:
        choice = choice_of(value, tools)
        if choice.kind == "required":
            if self.tool_format is None:
                raise RequestError(
                    f"tool_choice is {value!r}: edge does not know how the chat template of {self._path} writes "
                    'calls, so none can be demanded; use "auto" or "none"'
                )
            if tools is None and not self.tool_format.has_own_tools:
                raise RequestError(f"tool_choice is {value!r}, and there are no tools")
            if tools is None and choice.name is not None and f">{choice.name}(" not in self._source:
                raise RequestError(f"tool_choice names {choice.name!r}, which is none of the model's own tools")
        return choice

    def _variables(self, options: TemplateOptions) -> dict[str, Any]:
        variables = dict(options.get("template_options") or {})
        for name in variables:
            if name in _OURS or name not in self._template.variables:
                raise RequestError(f"template_options: the chat template of {self._path} reads no variable {name!r}")
        thinking = options.get("thinking")
        if thinking is not None:
            if not isinstance(thinking, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise RequestError(f"thinking is {thinking!r}; it must be True or False")
            if self.thinking_switch is None:
                raise RequestError(
                    f"thinking: the chat template of {self._path} has no switch for it ({' or '.join(SWITCHES)})"
                )
            variables[self.thinking_switch] = thinking
        return variables

    def _call_grammar(
        self, form: AnswerForm, choice: Choice, tools: Sequence[Mapping[str, Any]] | None
    ) -> Grammar | None:
        """None: no call must come, or only how one begins can be forced, as for the tools of the template's own."""
        if choice.kind != "required" or form.calls is None or tools is None:
            return None
        from edge.call_grammar import call_grammar

        chosen = [tool for tool in tools if choice.name in (None, tool["function"]["name"])]
        parallel = choice.name is None and not form.single_call
        return call_grammar(form.calls, chosen, self._tokenizer, parallel=parallel)

    def _forcing(self, form: AnswerForm, choice: Choice, options: TemplateOptions, is_held: bool) -> Forcing | None:
        """is_held: a form holds the answer, from its beginning or from the end of the thinking on."""
        budget = options.get("thinking_budget")
        closing: tuple[int, ...] = ()
        if budget is not None:
            if isinstance(budget, bool) or not isinstance(budget, int) or not 0 <= budget <= MAX_THINKING_BUDGET:  # pyright: ignore[reportUnnecessaryIsInstance]
                raise RequestError(
                    f"thinking_budget is {budget!r}; it must be a whole number from 0 to {MAX_THINKING_BUDGET}"
                )
            if form.tags is None:
                raise RequestError(
                    f"thinking_budget: the chat template of {self._path} shows no thinking that could be ended"
                )
            behind = "" if is_held else "\n\n"
            closing = tuple(self._marks(f"\n{form.tags.closing.strip()}{behind}"))
            if is_held and not form.thinks_at_once:
                return None  # there is no thinking before the form
        call: tuple[int, ...] = ()
        if choice.kind == "required" and form.calls is not None and not is_held:
            call = common_beginning(*map(self._marks, form.calls.examples(choice.name)))
        if budget is None and not call:
            return None
        return Forcing(self._tokenizer, ForcingRules(form.tags, form.thinks_at_once, budget, closing, call))

    def _render(self, messages: Sequence[Message], tools: list[dict[str, Any]] | None, extra: dict[str, Any]) -> str:
        tokenizer = self._tokenizer
        bos, eos = tokenizer.bos_id, tokenizer.eos_id
        return self._template.render(
            [self._for_template(message) for message in messages],
            tools=tools,
            bos_token="" if bos is None else tokenizer.token_text(bos),
            eos_token="" if eos is None else tokenizer.token_text(eos),
            extra=extra,
            shield=tokenizer.shield,
        )

    def _for_template(self, message: Message) -> Message:
        """Calls as templates expect them: arguments as objects; in the model's own words where it knows no other."""
        calls = message.get("tool_calls")
        if not isinstance(calls, Sequence) or isinstance(calls, str):
            return {key: value for key, value in message.items() if key != "tool_calls" or value is not None}
        rest = {key: value for key, value in message.items() if key != "tool_calls"}
        if not calls:
            return rest
        content = rest.get("content")
        rest["content"] = content = "" if content is None else content
        items = [_with_arguments(call) for call in cast("Sequence[object]", calls)]
        if self._knows_tool_calls or self.tool_format is None:
            return rest | {"tool_calls": items}
        try:
            written = self.tool_format.write([_call_of(item) for item in items])
        except (KeyError, TypeError):
            raise RequestError('tool_calls: each must be {"function": {"name": ..., "arguments": ...}}') from None
        return rest | {"content": f"{content}\n{written}" if content else written}

    def _encoded(self, text: str) -> list[int]:
        tokenizer = self._tokenizer
        # The template's control tokens are read as such, those that someone wrote into a message stay text.
        tokens = tokenizer.encode(text, add_special=False, parse_special=True, shielded=True)
        # Templates of some files write the BOS token and those of others leave it to the tokenizer: exactly one.
        if tokenizer.bos_id is not None and tokenizer.add_bos and tokens[:1] != [tokenizer.bos_id]:
            tokens.insert(0, tokenizer.bos_id)
        return tokens

    def _marks(self, text: str) -> list[int]:
        return self._tokenizer.encode(text, add_special=False, parse_special=True)


def split_chat_options(options: ChatOptions) -> tuple[GenerateOptions, TemplateOptions]:
    """What chooses tokens, and what makes the prompt. RequestError: max_tokens is given twice."""
    values: dict[str, Any] = dict(options)
    completion = values.pop("max_completion_tokens", None)
    if completion is not None and values.setdefault("max_tokens", completion) not in (None, completion):
        raise RequestError(
            f"max_tokens is {values['max_tokens']!r} and max_completion_tokens {completion!r}: they mean the same"
        )
    if completion is not None:
        values["max_tokens"] = completion
    templating = {name: values.pop(name) for name in TemplateOptions.__annotations__ if name in values}
    return cast("GenerateOptions", values), cast("TemplateOptions", templating)


def _single_call(options: TemplateOptions) -> bool:
    parallel = options.get("parallel_tool_calls")
    if parallel is not None and not isinstance(parallel, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise RequestError(f"parallel_tool_calls is {parallel!r}; it must be True or False")
    return parallel is False


def common_beginning(*lists: Sequence[int]) -> tuple[int, ...]:
    """What token lists have in common from the first on: up to there a text has but one way to go on as tokens."""
    alike = takewhile(lambda tokens: len(set(tokens)) == 1, zip(*lists, strict=False))
    return tuple(tokens[0] for tokens in alike)


def shared_beginning(tokens_with: Callable[[str], list[int]]) -> list[int]:
    """The tokens that prompts have in common whatever they go on with."""
    return list(common_beginning(tokens_with("a"), tokens_with("1")))


def _with_arguments(call: object) -> object:
    """OpenAI's API gives arguments as JSON in a text; templates expect the object."""
    if not isinstance(call, Mapping):
        return call
    item = dict(cast("Mapping[str, Any]", call))
    function = item.get("function")
    if isinstance(function, Mapping):
        function = dict(cast("Mapping[str, Any]", function))
        if isinstance(function.get("arguments"), str):
            try:
                function["arguments"] = json_value(function["arguments"] or "{}")
            except MalformedCall:
                pass  # what a client kept of a bad call goes to the template as it is
        item["function"] = function
    return item


def _call_of(item: Any) -> Call:
    return Call(item["function"]["name"], item["function"]["arguments"])
