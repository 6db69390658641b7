"""What a request asks for: prompts as token ids, options, and how the answers are delivered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edge.engine import SamplingParams
from edge.errors import ContextExceeded
from edge.generate_options import GenerateOptions, TemplateOptions
from edge.serve.api_error import ApiError, refused, shown
from edge.serve.chat_fields import take_thinking, take_tools
from edge.serve.fields import Fields, as_list
from edge.serve.formats import take_schema
from edge.serve.messages import take_messages
from edge.serve.options import Delivery, take_delivery, take_options

if TYPE_CHECKING:
    from edge.model import Model
    from edge.stream import Stream

MAX_PROMPTS = 32
_NOT_KEPT = "nothing is stored"


@dataclass(frozen=True, slots=True)
class Ask:
    """adapter: the model that was asked for, if it is one. prompts: of completions, token ids each, or texts that are
    still to be encoded. messages, tools, templating: of chats. logprobs: whether the answer shows them."""

    options: GenerateOptions
    delivery: Delivery
    adapter: str | None = None
    prompts: tuple[str | list[int], ...] = ()
    messages: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    tools: list[dict[str, Any]] | None = None
    templating: TemplateOptions = field(default_factory=TemplateOptions)
    logprobs: bool = False
    echo: bool = False

    @property
    def num_choices(self) -> int:
        return max(1, len(self.prompts)) * self.delivery.n

    @property
    def form_field(self) -> str | None:
        """The field that holds the answer to a form; None: it is free."""
        if "schema" in self.options:
            return "response_format"
        return "tool_choice" if self.templating.get("tool_choice") not in (None, "none", "auto") else None

    @property
    def has_tools(self) -> bool:
        """Whether calls are parted from the text. Without tools of the client's, those of the model's own stay text."""
        return bool(self.tools)


def chat_ask(body: object, model: Model, model_name: str) -> Ask:
    """A chat request. ApiError names the first field that cannot be honoured."""
    fields = Fields(body)
    adapter = check_model(fields, model_name, model.adapters)
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
    delivery = take_delivery(fields)
    schema = take_schema(fields)
    templating = TemplateOptions()
    tools = take_tools(fields, model, templating)
    take_thinking(fields, templating)
    if schema is not None and tools and templating.get("tool_choice") != "none":
        raise refused(
            "response_format", 'holds the whole answer, so it goes with tools only when tool_choice is "none"',
            "unsupported_parameter",
        )  # fmt: skip
    fields.unsupported("store", _NOT_KEPT, allowed=(False,))
    fields.unsupported("metadata", _NOT_KEPT, allowed=({},))
    fields.unsupported("modalities", "answers are text", allowed=(["text"],))
    for name in ("function_call", "functions"):
        fields.unsupported(name, "it was replaced by tools and tool_choice")
    fields.end()
    check_ranges(options)
    if schema is not None:
        options["schema"] = schema
    return Ask(options, delivery, adapter, messages=messages, tools=tools, templating=templating, logprobs=logprobs)


def completion_ask(body: object, model_name: str, adapters: Sequence[str] = ()) -> Ask:
    """A completion request. ApiError names the first field that cannot be honoured."""
    fields = Fields(body)
    adapter = check_model(fields, model_name, adapters)
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
    check_ranges(options)
    if len(prompts) * delivery.n > MAX_PROMPTS:
        raise refused("n", f"times the number of prompts is more than {MAX_PROMPTS}")
    return Ask(options, delivery, adapter, prompts=prompts, logprobs=num_top is not None, echo=echo)


def check_ranges(options: GenerateOptions) -> None:
    """RequestError before the prompt is looked at. options: without a form."""
    numbers: dict[str, Any] = dict(options)
    SamplingParams(**numbers)


def check_model(fields: Fields, model_name: str, adapters: Sequence[str] = ()) -> str | None:
    """`model`: the model, which may be left out, or the name of one of its adapters, which this gives then."""
    name = fields.text("model")
    if name is None or name == model_name:
        return None
    if name not in adapters:
        known = " and ".join(map(repr, (model_name, *adapters)))
        raise ApiError(
            404, f"model {shown(name)} does not exist; this server has {known}", param="model",
            code="model_not_found",
        )  # fmt: skip
    return name


def take_prompts(fields: Fields, name: str, limit: int = MAX_PROMPTS) -> tuple[str | list[int], ...]:
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
    if not 1 <= len(prompts) <= limit:
        raise refused(name, f"must be text, token ids, or a list of 1 to {limit} of those", "invalid_type")
    return tuple(prompts)


def begin(ask: Ask, model: Model, longest_token: int) -> tuple[list[Stream], list[list[int]]]:
    """The answers, not read yet, and the prompts of completions. All of them begin, or none.

    longest_token: bytes; what cannot fit even in the longest tokens is not encoded.
    Raises ContextExceeded, TemplateError, RequestError, GrammarError, DoesNotFit.
    """
    if ask.messages:
        check_length((str(message["content"]) for message in ask.messages), model, longest_token)
        options: dict[str, Any] = {**ask.options, **ask.templating, "adapter": ask.adapter}
        return [model.stream_chat(ask.messages, tools=ask.tools, priority=ask.delivery.priority, **options)], []
    for text in ask.prompts:
        if isinstance(text, str):
            check_length([text], model, longest_token)
    prompts = [model.tokenizer.encode(prompt) if isinstance(prompt, str) else prompt for prompt in ask.prompts]
    streams: list[Stream] = []
    try:
        for tokens in prompts:
            chosen: GenerateOptions = {**ask.options, "adapter": ask.adapter}
            streams.append(model.stream(tokens, priority=ask.delivery.priority, **chosen))
    except BaseException:
        for stream in streams:
            stream.close()
        raise
    return streams, prompts


def check_length(texts: Iterable[str], model: Model, longest_token: int) -> None:
    """Refuses what is far too long before a tokenizer spends seconds on it. Templates may trim spaces."""
    least = sum(len(text.strip().encode(errors="replace")) for text in texts) // longest_token
    if least >= model.context:
        raise ContextExceeded(least, model.context)


def _is_token(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -(2**31) <= value < 2**31
