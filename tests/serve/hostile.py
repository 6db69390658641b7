"""A table of hostile requests, each answered 4xx with JSON: made by rules, so that every field meets every value."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.serve.process import Server
from tests.serve.wire import request

CHAT = "/v1/chat/completions"
USER = [{"role": "user", "content": "hi"}]
DEEP = b"[" * 60000
LONG = "x" * 300
SCHEMAS: list[Any] = [
    5, "x", [], {"type": "x"}, {"not": {}}, {"$ref": "file:///etc/passwd"}, {"$ref": "#/nowhere"},
    {"pattern": "(?=a)a"},
    {"type": "string", "pattern": "("}, {"uniqueItems": True}, {"type": "integer", "minimum": 5, "maximum": 3},
    {"enum": []}, {"type": "object", "properties": 5}, {"const": "\x00"},
    {"anyOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"$ref": "#/$defs/a"}}}, {"enum": ["x" * 70000]},
    {"$defs": {f"d{i}": {} for i in range(600)}}, {"x-guidance": {}, "type": "object"},
]  # fmt: skip

# What no value of the field may be, by kind.
WRONG: dict[str, list[Any]] = {
    "messages": ["hi", [], [1], [{}], [{"role": "user"}], [{"role": "root", "content": "x"}], [USER], {"role": "user"},
                 [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}]}],
                 [{"role": "user", "content": [{"type": "text"}]}], [{"role": "user", "content": 5}],
                 [{"role": "tool", "content": "x"}], [{"role": "user", "content": "x", "name": "a"}],
                 [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "["}}]}],
                 [{"role": "assistant", "tool_calls": "x"}], [{"role": "user", "content": "x", "x": 1}],
                 [{"role": "user", "content": "\ud800"}], [{"role": "user", "content": "a" * 2000000}]],
    "max_tokens": [0, -1, 1.5, "5", 2**63, True, [], {}],
    "max_completion_tokens": [0, -1, 1.5, "5", 2**40, False],
    "temperature": [-0.1, "hot", [], {}, True, 1e308],
    "top_p": [0, -1, 1.1, "x", [], {}],
    "top_k": [-1, 1.5, "x", 2**31, [], True],
    "min_p": [-1, 1, "x"],
    "repetition_penalty": [0, -1, "x"],
    "presence_penalty": [-2.1, 2.1, "x"],
    "frequency_penalty": [-2.1, 2.1, "x"],
    "seed": [-1, 2**64, 1.5, "x"],
    "n": [0, -1, 9, 10**30, "x", 1.5, True],
    "stop": [5, [5], [""], "", ["x"] * 17, LONG, {}, [[]]],
    "logit_bias": [[], "x", {"x": 1}, {"-1": 1}, {"5": 101}, {"5": "x"}, {"5": None}, {"999999": 1}, {"1e3": 1},
                   {str(i): 1 for i in range(1025)}],
    "logprobs": [5, "x", []],
    "top_logprobs": [3, -1, 21, "x"],
    "stream": [1, "true", []],
    "stream_options": [{"include_usage": True}, [], "x", {"x": 1}],
    "tools": [{}, "x", [1], [{"type": "x"}], [{"type": "function", "function": {}}], [{"name": "a b"}],
              [{"name": "f", "parameters": []}], [{"name": "f"}, {"name": "f"}], [{"name": "f"}] * 257],
    "tool_choice": ["required", "x", {"type": "function", "function": {"name": "f"}}, 5, "auto"],
    "parallel_tool_calls": [True, "x"],
    "response_format": [{"type": "json_object", "x": 1}, {"type": "json_schema", "json_schema": {}}, "x", {}, [],
                        {"type": 5}, {"type": "grammar", "grammar": "x"}, {"type": "json_schema"},
                        *({"type": "json_schema", "json_schema": {"name": "n", "schema": schema}} 
                          for schema in SCHEMAS)],
    "chat_template_kwargs": ["x", [], {"x": 1}, {"messages": []}],
    "reasoning_effort": [5, "low"],
    "thinking_budget": [-1, "x", 1.5, 5],
    "model": ["../../etc/passwd", "gpt-4", 5, LONG, ""],
    "user": [5, [], {}, "x" * 1000],
    "service_tier": ["priority", 5, []],
    "store": [True, "x"],
    "metadata": [{"a": "b"}, "x"],
    "functions": [[], [{"name": "f"}]],
    "modalities": [["audio"], "text"],
    "__proto__": [{}],
    "": [1],
    "n_discard": [-1],
    "grammar": ["("],
    "\x00": [1],
    LONG: [1],
}  # fmt: skip
BODIES = (
    b"", b"{", b"[]", b"null", b"5", b'"x"', b"\xff\xfe", b"\xef\xbb\xbf{}", b"{'a': 1}", b'{"messages": NaN}',
    b'{"messages": Infinity}', b'{"max_tokens": 1e999, "messages": []}', b'{"a": ' + b"9" * 5000 + b"}",
    b'{"messages": [], "messages": []}', DEEP, b'{"messages": ' + DEEP, b'{"messages": ' + b"[" * 65 + b"]" * 65 + b"}",
    b'{"a":' * 30000 + b"1" + b"}" * 30000, b"[" + b"0," * 300000 + b"0]",
    b'{"messages": "' + b"\\u0000" * 1000 + b'"}',
    b'{"messages": "\x01"}', b"{" + b'"a":1,' * 2000 + b'"b":1}', b"x" * (5 << 20), b'{"messages": [{"role": "user"',
)  # fmt: skip


def hostile_requests(server: Server) -> Iterator[tuple[str, bytes]]:
    """(what it is, its bytes)"""
    for field, values in WRONG.items():
        for number, value in enumerate(values):
            body = json.dumps({"messages": USER, "max_tokens": 1} | {field: value}).encode()
            yield f"{field[:20]}[{number}]", request(server, CHAT, body)
    for number, body in enumerate(BODIES):
        yield f"body {number}", request(server, CHAT, body)
    for path in ("/v1/completions", "/v1/embeddings", "/tokenize", "/detokenize"):
        for number, body in enumerate(
            (b"{}", b"[]", b'{"prompt": 5, "tokens": "x"}', b'{"prompt": [[]], "tokens": [-1]}')
        ):
            yield f"{path} {number}", request(server, path, body)
    host = f"Host: 127.0.0.1:{server.port}\r\n"
    for name, data in {
        "no such method": f"BREW {CHAT} HTTP/1.1\r\n{host}Connection: close\r\n\r\n",
        "get a post": f"GET {CHAT} HTTP/1.1\r\n{host}Connection: close\r\n\r\n",
        "two lengths": f"POST {CHAT} HTTP/1.1\r\n{host}Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        "length and chunks": f"POST {CHAT} HTTP/1.1\r\n{host}Content-Type: application/json\r\nContent-Length: 5\r\n"
        "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n",
        "negative length": f"POST {CHAT} HTTP/1.1\r\n{host}Content-Length: -1\r\n\r\n",
        "bad chunk": f"POST {CHAT} HTTP/1.1\r\n{host}Content-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        "no http": "hello\r\n\r\n",
        "tls": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        "long head": f"GET /health HTTP/1.1\r\n{host}X: {'x' * 40000}\r\n\r\n",
        "many heads": f"GET /health HTTP/1.1\r\n{host}" + "X: y\r\n" * 10000 + "\r\n",
        "long path": f"GET /{'x' * 40000} HTTP/1.1\r\n{host}\r\n",
        "path upwards": f"GET /v1/models/../../etc/passwd HTTP/1.1\r\n{host}Connection: close\r\n\r\n",
        "path encoded": f"GET /v1/models/%2e%2e%2f%00 HTTP/1.1\r\n{host}Connection: close\r\n\r\n",
        "gzip": f"POST {CHAT} HTTP/1.1\r\n{host}Content-Type: application/json\r\nContent-Encoding: gzip\r\n"
        "Content-Length: 2\r\nConnection: close\r\n\r\n{}",
        "huge length": f"POST {CHAT} HTTP/1.1\r\n{host}Content-Type: application/json\r\n"
        f"Content-Length: {10**30}\r\nConnection: close\r\n\r\n",
        "null in a header": f"GET /health HTTP/1.1\r\n{host}X: \x00\r\n\r\n",
        "new line in a header": f"GET /health HTTP/1.1\r\n{host}X : y\r\n\r\n",
    }.items():
        yield name, data.encode("latin-1")
