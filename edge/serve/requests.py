"""What a request asks for: prompts as token ids, options, and how the answers are delivered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edge.engine import SamplingParams
from edge.errors import ContextExceeded
from edge.generate_options import GenerateOptions
from edge.serve.api_error import ApiError, refused, shown
from edge.serve.calls import reads_calls
from edge.serve.fields import Fields, as_list
from edge.serve.messages import take_messages
from edge.serve.options import Delivery, take_delivery, take_options
from edge.tools import function_tools

if TYPE_CHECKING:
    from edge.model import Model

MAX_PROMPTS = 32
MAX_TOOLS = 256
_NOT_KEPT = "nothing is stored"


@dataclass(frozen=True, slots=True)
class Ask:
    """prompts: token ids each, or texts that are still to be encoded. call_names: tools whose calls are read out of
    the answer; None: it is text. logprobs: whether the answer shows them."""

    options: GenerateOptions
    delivery: Delivery
    prompts: tuple[str | list[int], ...] = ()
    messages: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    tools: list[dict[str, Any]] | None = None
    call_names: frozenset[str] | None = None
    single_call: bool = False
    logprobs: bool = False
    echo: bool = False

    @property
    def num_choices(self) -> int:
        return max(1, len(self.prompts)) * self.delivery.n


def chat_ask(body: object, model: Model, model_name: str) -> Ask:
    """A chat request. ApiError names the first field that cannot be honoured."""
    fields = Fields(body)
    check_model(fields, model_name)
    messages = take_messages(fields)
    options = take_options(fields)
    most = fields.whole("max_completion_tokens", 1, 2**31 - 1)
    if most is not None:
        if options.get("max_tokens", most) != most:
            raise refused("max_completion_tokens", "differs from max_tokens; give one of them")
        options["max_tokens"] = most
    logprobs = fields.flag("logprobs") or False
    num_top = fields.whole("top_logprobs", 0, 20)
    if num_top is not None and not logprobs:
        raise refused("top_logprobs", "is allowed only with logprobs: true")
    if logprobs:
        options["logprobs"] = num_top or 0
    tools, call_names, single_call = _take_tools(fields, model)
    delivery = take_delivery(fields)
    _refuse_format(fields)
    fields.unsupported("store", _NOT_KEPT, allowed=(False,))
    fields.unsupported("metadata", _NOT_KEPT, allowed=({},))
    fields.unsupported("modalities", "answers are text", allowed=(["text"],))
    for name in ("function_call", "functions"):
        fields.unsupported(name, "it was replaced by tools and tool_choice")
    fields.end()
    SamplingParams(**options)  # ranges, before the prompt is looked at
    return Ask(
        options, delivery, messages=messages, tools=tools, call_names=call_names, single_call=single_call,
        logprobs=logprobs,
    )  # fmt: skip


def completion_ask(body: object, model_name: str) -> Ask:
    """A completion request. ApiError names the first field that cannot be honoured."""
    fields = Fields(body)
    check_model(fields, model_name)
    prompts = take_prompts(fields, "prompt")
    options = take_options(fields)
    num_top = fields.whole("logprobs", 0, 5)
    if num_top is not None:
        options["logprobs"] = num_top
    delivery = take_delivery(fields)
    echo = fields.flag("echo") or False
    if echo and num_top is not None:
        raise refused("echo", "together with logprobs is not supported", "unsupported_parameter")
    best_of = fields.whole("best_of", 1, 20)
    if best_of is not None and best_of != delivery.n:
        raise refused("best_of", "must be equal to n: answers are not ranked", "unsupported_parameter")
    fields.unsupported("suffix", "models of this server continue text, they do not fill gaps", allowed=("",))
    fields.end()
    SamplingParams(**options)
    if len(prompts) * delivery.n > MAX_PROMPTS:
        raise refused("n", f"times the number of prompts is more than {MAX_PROMPTS}")
    return Ask(options, delivery, prompts=prompts, logprobs=num_top is not None, echo=echo)


def check_model(fields: Fields, model_name: str) -> None:
    """`model`: may be left out, there is only one."""
    name = fields.text("model")
    if name is not None and name != model_name:
        raise ApiError(
            404, f"model {shown(name)} does not exist; this server has {model_name!r}", param="model",
            code="model_not_found",
        )  # fmt: skip


def take_prompts(fields: Fields, name: str) -> tuple[str | list[int], ...]:
    """A text, a list of token ids, or a list of either."""
    value = fields.needed(name)
    if isinstance(value, str):
        return (value,)
    items = as_list(value) or []
    if items and all(_is_token(item) for item in items):
        return (items,)
    prompts: list[str | list[int]] = []
    for item in items:
        tokens = as_list(item)
        if tokens is not None and all(map(_is_token, tokens)):
            prompts.append(tokens)
        elif isinstance(item, str):
            prompts.append(item)
        else:
            raise refused(name, f"holds {shown(item)}, it must be text, token ids, or a list of those", "invalid_type")
    if not 1 <= len(prompts) <= MAX_PROMPTS:
        raise refused(name, f"must be text, token ids, or a list of 1 to {MAX_PROMPTS} of those", "invalid_type")
    return tuple(prompts)


def encode(ask: Ask, model: Model, longest_token: int) -> list[list[int]]:
    """Token ids of the prompts. longest_token: bytes; what cannot fit even in the longest tokens is not encoded.

    Raises ContextExceeded, TemplateError, RequestError.
    """
    check_length((str(message["content"]) for message in ask.messages), model, longest_token)
    if ask.messages:
        prompts = [model.encode_chat(ask.messages, ask.tools)]
    else:
        texts = (prompt for prompt in ask.prompts if isinstance(prompt, str))
        for text in texts:
            check_length([text], model, longest_token)
        prompts = [model.tokenizer.encode(prompt) if isinstance(prompt, str) else prompt for prompt in ask.prompts]
    for tokens in prompts:
        if len(tokens) >= model.context:
            raise ContextExceeded(len(tokens), model.context)
    return prompts


def check_length(texts: Iterable[str], model: Model, longest_token: int) -> None:
    """Refuses what is far too long before a tokenizer spends seconds on it. Templates may trim spaces."""
    least = sum(len(text.strip().encode(errors="replace")) for text in texts) // longest_token
    if least >= model.context:
        raise ContextExceeded(least, model.context)


def _take_tools(fields: Fields, model: Model) -> tuple[list[dict[str, Any]] | None, frozenset[str] | None, bool]:
    """(tools for the template, names of those whose calls are read, whether only one call may be made)."""
    items = fields.items("tools", MAX_TOOLS)
    tools = None if items is None else function_tools(items)
    choice = fields.take("tool_choice")
    parallel = fields.flag("parallel_tool_calls")
    if choice is not None and choice not in ("none", "auto"):
        raise refused(
            "tool_choice", f'is {shown(choice)}; this server honours "none" and "auto"', "unsupported_parameter"
        )
    for name, value in (("tool_choice", choice), ("parallel_tool_calls", parallel)):
        if value is not None and not tools:
            raise refused(name, "is allowed only with tools")
    if not tools:
        return tools, None, False
    if not reads_calls(model.chat_template):
        raise refused("tools", "are not supported: calls of this model are in a form that edge does not read yet")
    if choice == "none":
        return [], None, False
    return tools, frozenset(str(tool["function"]["name"]) for tool in tools), parallel is False


def _refuse_format(fields: Fields) -> None:
    """`response_format`: text. Constrained answers are wired in here."""
    response_format = fields.inner("response_format")
    if response_format is not None:
        kind = response_format.needed("type")
        if kind != "text":
            raise refused(
                "response_format", f"of type {shown(kind)} is not supported yet; only text is", "unsupported_parameter"
            )
        response_format.end()


def _is_token(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -(2**31) <= value < 2**31
