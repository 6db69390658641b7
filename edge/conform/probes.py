"""The fields of OpenAI's API, one probe each, and what extensions are commonly sent beside them."""

from __future__ import annotations

from typing import Any

from edge.conform import effects as see
from edge.conform.effects import HOT
from edge.conform.probe import Context, Endpoint, Probe

_QUESTION = "Set a timer for five minutes"
_TOOL = {
    "type": "function",
    "function": {
        "name": "edge_conform_timer",
        "description": "start a timer that rings when the time is over",
        "parameters": {
            "type": "object",
            "properties": {"duration": {"type": "string", "maxLength": 20}},
            "required": ["duration"],
            "additionalProperties": False,
        },
    },
}
_TOOLS = {"tools": [_TOOL]}
_SCHEMA = {
    "name": "edge_conform",
    "strict": True,
    "schema": {
        "type": "object",
        "properties": {"edge_conform": {"type": "boolean"}},
        "required": ["edge_conform"],
        "additionalProperties": False,
    },
}


def _send(**fields: Any) -> Any:
    def sent(context: Context) -> dict[str, Any]:
        return fields

    return sent


def _stop(context: Context) -> dict[str, Any]:
    return {"stop": see.stop_text(context) or "x"}


def _message(**fields: Any) -> Any:
    return _send(messages=[{"role": "user", "content": _QUESTION} | fields])


# Fields that chat and completions share.
_COMMON = (
    Probe("model", _send(model="edge-conform-no-such-model"), wants_refusal=True),
    Probe("max_tokens", _send(max_tokens=3), see.fewer_tokens, -1),
    Probe("temperature", _send(**HOT), see.heat_matters, "hot"),
    Probe("top_p", _send(**HOT, top_p=1e-6), see.same_as_greedy, "x"),
    Probe("seed", _send(**HOT, seed=11), see.seeds_matter, "x"),
    Probe("n", _send(**HOT, n=2), see.has_choices(2), -1),
    Probe("stop", _stop, see.stops_there, 5),
    Probe("presence_penalty", _send(presence_penalty=2.0), see.text_may_change, "x"),
    Probe("frequency_penalty", _send(frequency_penalty=2.0), see.text_may_change, "x"),
    Probe("logit_bias", _send(logit_bias={"300": 100}), see.text_changes, "x"),
    Probe("stream", _send(stream=True), see.is_stream, "x"),
    Probe("stream_options", _send(stream=True, stream_options={"include_usage": True}), see.last_chunk_has_usage),
    Probe("user", _send(user="someone"), None, {"not": "text"}),
)

_CHAT = (
    Probe("messages (too long)", _send(messages=[{"role": "user", "content": "word " * 300_000}]), wants_refusal=True),
    Probe("messages[].role", _message(role="edge_conform"), wants_refusal=True),
    Probe("messages[].name", _message(name="edge_conform"), see.prompt_grows),
    Probe("messages[].content", _message(content=[{"type": "edge_conform"}]), wants_refusal=True),
    Probe("max_completion_tokens", _send(max_tokens=None, max_completion_tokens=3), see.fewer_tokens, -1),
    Probe("logprobs", _send(logprobs=True), see.has("choices", 0, "logprobs", "content"), "x"),
    Probe(
        "top_logprobs",
        _send(logprobs=True, top_logprobs=3),
        see.top_of(3, "choices", 0, "logprobs", "content", 0, "top_logprobs"),
        "x",
    ),
    Probe("tools", _send(**_TOOLS), see.prompt_grows, "x"),
    Probe("tool_choice none", _send(**_TOOLS, tool_choice="none"), see.no_call, "edge_conform"),
    Probe("tool_choice required", _send(**_TOOLS, tool_choice="required", max_tokens=200),
          see.calls("edge_conform_timer")),
    Probe(
        "tool_choice named",
        _send(
            **_TOOLS, tool_choice={"type": "function", "function": {"name": "edge_conform_timer"}}, max_tokens=200
        ),
        see.calls("edge_conform_timer"),
    ),
    Probe("parallel_tool_calls", _send(**_TOOLS, parallel_tool_calls=False), None, "x"),
    Probe(
        "response_format json_schema",
        _send(response_format={"type": "json_schema", "json_schema": _SCHEMA}),
        see.is_json_with("edge_conform"),
    ),
    Probe("response_format json_object", _send(response_format={"type": "json_object"}), see.is_json_object),
    Probe("response_format unknown", _send(response_format={"type": "edge_conform"}), wants_refusal=True),
    Probe("functions", _send(functions=[_TOOL["function"]]), see.prompt_grows),
    Probe("function_call", _send(functions=[_TOOL["function"]], function_call={"name": "edge_conform_timer"}),
          see.has("choices", 0, "message", "function_call")),
    Probe("modalities", _send(modalities=["audio"]), see.has("choices", 0, "message", "audio")),
    Probe("audio", _send(audio={"voice": "alloy", "format": "wav"}), None),
    Probe("prediction", _send(prediction={"type": "content", "content": _QUESTION}),
          see.has("usage", "completion_tokens_details")),
    Probe("reasoning_effort", _send(reasoning_effort="low"), None, "edge_conform"),
    Probe("verbosity", _send(verbosity="low"), None, "edge_conform"),
    Probe("web_search_options", _send(web_search_options={}), see.has("choices", 0, "message", "annotations")),
    Probe("service_tier", _send(service_tier="flex"), see.equals("flex", "service_tier"), 5),
    Probe("store", _send(store=True), see.kept),
    Probe("metadata", _send(metadata={"edge": "conform"}), see.kept),
    Probe("safety_identifier", _send(safety_identifier="someone"), None, {"not": "text"}),
    Probe("prompt_cache_key", _send(prompt_cache_key="someone"), None, {"not": "text"}),
    Probe("prompt_cache_retention", _send(prompt_cache_retention="24h"), None, "edge_conform"),
    Probe("moderation", _send(moderation={"model": "edge_conform"}), see.has("moderation")),
    *_COMMON,
    Probe("top_k (extension)", _send(**HOT, top_k=1), see.same_as_greedy, "x"),
    Probe("min_p (extension)", _send(**HOT, min_p=0.999), see.same_as_greedy, "x"),
    Probe("repetition_penalty (extension)", _send(repetition_penalty=1.9), see.text_may_change, "x"),
    Probe("edge_conform (no API has it)", _send(edge_conform=True), wants_refusal=True),
)  # fmt: skip

_COMPLETIONS = (
    Probe("prompt (too long)", _send(prompt="word " * 300_000), wants_refusal=True),
    Probe("prompt list", _send(prompt=[_QUESTION, "Hello"]), see.has_choices(2)),
    Probe("echo", _send(echo=True), see.begins_with_prompt, "x"),
    Probe("suffix", _send(suffix=see.SUFFIX), see.suffix_matters, 5),
    Probe("best_of", _send(best_of=3), None, "x"),
    Probe("logprobs", _send(logprobs=2), see.top_of(2, "choices", 0, "logprobs", "top_logprobs", 0), "x"),
    *_COMMON,
    Probe("edge_conform (no API has it)", _send(edge_conform=True), wants_refusal=True),
)

_EMBEDDINGS = (
    Probe("model", _send(model="edge-conform-no-such-model"), wants_refusal=True),
    Probe("input list", _send(input=["a", "b"]), see.has("data", 1, "embedding")),
    Probe("encoding_format", _send(encoding_format="base64"), see.is_text("data", 0, "embedding"), "edge_conform"),
    Probe("dimensions", _send(dimensions=2), see.top_of(2, "data", 0, "embedding"), "x"),
    Probe("user", _send(user="someone"), None, {"not": "text"}),
    Probe("edge_conform (no API has it)", _send(edge_conform=True), wants_refusal=True),
)


def endpoints() -> tuple[Endpoint, ...]:
    """What is asked, in order."""

    def chat(model: str) -> dict[str, Any]:
        messages = [{"role": "user", "content": _QUESTION}]
        return {"model": model, "messages": messages, "max_tokens": 24, "temperature": 0}

    def completion(model: str) -> dict[str, Any]:
        return {"model": model, "prompt": _QUESTION, "max_tokens": 16, "temperature": 0}

    def embedding(model: str) -> dict[str, Any]:
        return {"model": model, "input": _QUESTION}

    return (
        Endpoint("/v1/chat/completions", chat, _CHAT, needed=True),
        Endpoint("/v1/completions", completion, _COMPLETIONS),
        Endpoint("/v1/embeddings", embedding, _EMBEDDINGS),
    )
