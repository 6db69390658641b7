"""The bundled model's chat template: a list of tools, one line each, and then the conversation.

    <|tools|>
    switch lights>set_light(which room:room;state)
    <|user|>kitchen light on<|assistant|>[{"name":...}]<|end|><|user|>...<|assistant|>

What a tool or an argument is for comes before its name: the network, which only looks back, then knows at the name
what it stands for. It learns on this exact output, so a change here asks for a new training. A turn costs three tokens
of frame; with the usual ten a fifth of all training would go into frames.
"""

from __future__ import annotations

from typing import Any

from apps.assistant_model.tools import TOOLS, Argument, Tool

# What the prompt says when nobody gives tools: names only, for the network knows the rest.
_DEFAULT_LINES = "".join(
    f"{tool.description}>{tool.name}({';'.join(argument.name for argument in tool.arguments)})\n" for tool in TOOLS
)

# Every text of a tool goes through here, so that none ends its line or writes a control token. Nothing is taken out
# without a space in its place: what stood on both sides must not become a control token either.
_ONE_LINE = (
    "{% macro one_line(text) %}"
    "{{ text | replace('\\n', ' ') | replace('\\r', ' ') | replace('<|', ' ') | trim }}"
    "{% endmacro %}"
)
_ARGUMENT = (
    "{% macro argument(name, schema) %}"
    "{% set about = one_line(schema['description'] or '') %}"
    "{% if about %}{{ about + ':' }}"
    "{% elif schema['enum'] %}"
    "{% for value in schema['enum'] %}"
    "{{ one_line(value if value is string else value | tojson) + (':' if loop.last else '/') }}"
    "{% endfor %}"
    "{% endif %}"
    "{{ one_line(name) }}"
    "{% endmacro %}"
)
_TOOL_LINES = (
    "{% for tool in tools %}"
    "{% set function = tool['function'] or tool %}"
    "{% set about = one_line(function['description'] or '') %}"
    "{{ about + '>' + one_line(function['name']) + '(' }}"
    "{% for name, schema in ((function['parameters'] or {})['properties'] or {}).items() %}"
    "{{ ('' if loop.first else ';') + argument(name, schema) }}"
    "{% endfor %}"
    "{{ ')\\n' }}"
    "{% endfor %}"
)
_MESSAGES = (
    "{% for message in messages %}"
    "{% if message['role'] == 'system' %}"
    "{{ raise_exception('this model takes no system message: give it tools instead') }}"
    "{% elif message['role'] not in ['user', 'assistant'] %}"
    "{{ raise_exception('this model knows two roles, user and assistant') }}"
    "{% endif %}"
    "{{ '<|' + message['role'] + '|>' + message['content'] }}{% if message['role'] == 'assistant' %}<|end|>{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)

CHAT_TEMPLATE = (
    _ONE_LINE
    + _ARGUMENT
    + "{{ '<|tools|>\\n' }}"
    + "{% if tools is not defined or tools is none %}"
    + _DEFAULT_LINES
    + "{% else %}"
    + _TOOL_LINES
    + "{% endif %}"
    + _MESSAGES
)


def tools_as_json() -> list[dict[str, Any]]:
    """The tools of the default prompt as OpenAI's function tools, to start a list of one's own from.

    Arguments carry their descriptions here, so a prompt with these tools is longer than the default one.
    """
    return [_tool_as_json(tool) for tool in TOOLS]


def _tool_as_json(tool: Tool) -> dict[str, Any]:
    properties = {argument.name: _schema(argument) for argument in tool.arguments}
    return {
        "type": "function",
        "function": {
            "name": tool.name,
            "description": tool.description,
            "parameters": {"type": "object", "properties": properties},
        },
    }


def _schema(argument: Argument) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": argument.type, "description": argument.description}
    return schema | {"items": {"type": "string"}} if argument.type == "array" else schema
