"""`edge conform` on ourselves, and on servers that do other things."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from edge.conform import Server as Target
from edge.conform import conform
from edge.errors import EdgeError, RequestError
from edge.references import resolve
from tests.serve.process import ROOT, Server


def test_this_server_ignores_nothing(server: Server) -> None:
    command = [sys.executable, "-m", "edge", "conform", f"{server.base}/v1", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    verdicts = {(item["endpoint"], item["field"]): item["verdict"] for item in report["findings"]}
    assert set(verdicts.values()) == {"honoured", "refused"}
    assert len(verdicts) > 60
    for name in ("seed", "stop", "n", "logit_bias", "top_logprobs", "stream_options", "tools", "top_p"):
        assert verdicts["/v1/chat/completions", name] == "honoured"
    for name in ("tool_choice none", "tool_choice required", "tool_choice named", "parallel_tool_calls",
                 "response_format json_schema", "response_format json_object"):  # fmt: skip
        assert verdicts["/v1/chat/completions", name] == "honoured"
    assert verdicts["/v1/chat/completions", "store"] == "refused"
    unnamed = [item for item in report["findings"] if "without its name" in item["seen"]]
    assert not unnamed


@pytest.fixture(scope="module")
def llama_server(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """llama-cpp-python's server, with the bundled model."""
    pytest.importorskip("llama_cpp")
    for needed in ("fastapi", "sse_starlette", "pydantic_settings", "starlette_context"):
        pytest.importorskip(needed, reason="llama-cpp-python[server] is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    model = tmp_path_factory.mktemp("llama") / "assistant.gguf"
    model.write_bytes(resolve(None).read_bytes())
    command = [sys.executable, "-m", "llama_cpp.server", "--model", str(model), "--port", str(port), "--n_threads", "1"]
    command += ["--host", "127.0.0.1", "--embedding", "true"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                if Target(f"http://127.0.0.1:{port}").get("/v1/models").ok:
                    break
            except EdgeError:
                assert process.poll() is None and time.monotonic() < deadline, (
                    "llama-cpp-python's server does not start"
                )
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def test_llama_cpp_pythons_server(llama_server: str) -> None:
    """A second real server: what its code says of these fields is what is found."""
    verdicts = {(item.endpoint, item.field): item.verdict for item in conform(Target(llama_server))}
    chat = {field: verdict for (endpoint, field), verdict in verdicts.items() if endpoint == "/v1/chat/completions"}
    for field in ("max_tokens", "temperature", "seed", "stop", "logit_bias", "stream", "tools", "tool_choice named",
                  "top_logprobs", "response_format json_object", "messages (too long)"):  # fmt: skip
        assert chat[field] == "honoured", field
    for field in (
        "n",
        "model",
        "max_completion_tokens",
        "parallel_tool_calls",
        "store",
        "edge_conform (no API has it)",
    ):
        assert chat[field] == "ignored", field
    assert chat["response_format json_schema"] == chat["messages[].role"] == "failed"
    assert verdicts["/v1/embeddings", "input list"] == "honoured"


class _Careless(BaseHTTPRequestHandler):
    """Answers every request with the same text, whatever it asks for; `failing` fields make it fail."""

    failing: tuple[str, ...] = ()
    appends = False  # puts the suffix behind the same answer

    def log_message(self, format: str, *args: object) -> None: ...

    def do_GET(self) -> None:
        found = self.path == "/v1/models"
        self._send(200 if found else 404, {"data": [{"id": "m"}]} if found else {"error": "no such path"})

    def do_POST(self) -> None:
        body: Any = json.loads(self.rfile.read(int(self.headers["content-length"])))
        failed = [name for name in self.failing if name in body]
        if failed:
            self._send(500, {"error": {"message": "boom"}})
        elif self.path.endswith("embeddings"):
            self._send(404, {"error": "no such path"})
        else:
            text = "always this" + (body.get("suffix") or "" if self.appends else "")
            choice = {"index": 0, "text": text, "message": {"role": "assistant", "content": "always this"}}
            self._send(200, {"choices": [choice], "usage": {"prompt_tokens": 5, "completion_tokens": 9}})

    def _send(self, status: int, value: object) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def careless(*failing: str, appends: bool = False) -> Generator[str]:
    handler = type("Handler", (_Careless,), {"failing": failing, "appends": appends})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as fake:
        thread = threading.Thread(target=fake.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{fake.server_port}"
        finally:
            fake.shutdown()
            thread.join()


def test_a_careless_server_is_found_out() -> None:
    with careless("logprobs", appends=True) as url:
        verdicts = {(item.endpoint, item.field): item.verdict for item in conform(Target(url))}
    chat = {field: verdict for (endpoint, field), verdict in verdicts.items() if endpoint == "/v1/chat/completions"}
    assert chat.pop("logprobs") == chat.pop("top_logprobs") == "failed"
    assert chat.pop("(the endpoint)") == "honoured"
    assert chat.pop("tool_choice none") == "honoured"  # it never calls
    assert set(chat.values()) == {"ignored"}, {field for field in chat if chat[field] != "ignored"}
    assert verdicts["/v1/embeddings", "(the endpoint)"] == "refused"
    assert verdicts["/v1/completions", "suffix"] == "ignored"


def test_the_command_fails_for_it() -> None:
    with careless() as url:
        command = [sys.executable, "-m", "edge", "conform", url]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "seed" in done.stdout and done.stdout.splitlines()[-1].endswith("0 failed")


def test_what_cannot_be_asked() -> None:
    with pytest.raises(EdgeError, match="does not answer"):
        list(conform(Target("http://127.0.0.1:9")))
    with pytest.raises(RequestError, match="URL"):
        Target("ftp://x")
