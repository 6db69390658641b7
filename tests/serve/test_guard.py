"""Foreign Hosts and Origins, on every path and method; and pages that are allowed."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.serve.process import Server, serving
from tests.serve.wire import ask, request

PATHS = ("/health", "/metrics", "/v1/models", "/v1/chat/completions", "/tokenize", "/nothing")
CHAT = b'{"messages": [{"role": "user", "content": "Set a timer for five minutes"}], "max_tokens": 2}'


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "HEAD", "DELETE"])
def test_a_foreign_host_gets_nothing(server: Server, path: str, method: str) -> None:
    for host in ("evil.example", f"evil.example:{server.port}", "127.0.0.1:1", "127.0.0.1", f"10.0.0.1:{server.port}"):
        assert ask(server, request(server, path, CHAT, method=method, host=host)).status == 403, host


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "[::1]"])
def test_names_of_loopback(server: Server, host: str) -> None:
    assert ask(server, request(server, "/health", method="GET", host=f"{host}:{server.port}")).status == 200


@pytest.mark.parametrize("path", PATHS)
def test_a_foreign_page_gets_nothing(server: Server, path: str) -> None:
    for origin in ("https://evil.example", "null", f"https://127.0.0.1:{server.port}", "http://localhost:3000", ""):
        answer = ask(server, request(server, path, CHAT, Origin=origin))
        assert answer.status == 403 and "access-control-allow-origin" not in answer.headers, origin
        assert ask(server, request(server, path, method="OPTIONS", Origin=origin)).status == 403
    for site in ("cross-site", "same-site", "other"):
        assert ask(server, request(server, path, method="GET", Sec_Fetch_Site=site)).status == 403


def test_a_form_of_a_page_gets_nothing(server: Server) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "json"):
        answer = ask(server, request(server, "/v1/chat/completions", CHAT, Content_Type=kind))
        assert answer.status == 415, kind


def test_a_page_of_our_own(server: Server) -> None:
    own = f"http://127.0.0.1:{server.port}"
    assert ask(server, request(server, "/v1/chat/completions", CHAT, Origin=own)).status == 200


def test_two_hosts_and_other_targets(server: Server) -> None:
    good = f"127.0.0.1:{server.port}"
    for data in (
        f"GET /health HTTP/1.1\r\nHost: {good}\r\nHost: evil.example\r\n\r\n",
        f"GET http://evil.example/health HTTP/1.1\r\nHost: {good}\r\nConnection: close\r\n\r\n",
        "GET /health HTTP/1.1\r\n\r\n",
        "GET /health HTTP/1.0\r\n\r\n",
        f"OPTIONS * HTTP/1.1\r\nHost: {good}\r\nConnection: close\r\n\r\n",
    ):
        assert 400 <= ask(server, data.encode()).status < 404, data


@pytest.fixture(scope="module")
def open_server() -> Generator[Server]:
    with serving("--allow-origin", "https://page.example", "--allow-host", "pi.local") as running:
        yield running


def test_a_page_that_was_allowed(open_server: Server) -> None:
    answer = ask(open_server, request(open_server, "/v1/chat/completions", CHAT, Origin="https://page.example"))
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == "https://page.example"
    before = ask(
        open_server, request(open_server, "/v1/chat/completions", method="OPTIONS", Origin="https://page.example")
    )
    assert before.status == 204 and "content-type" in before.headers["access-control-allow-headers"]
    assert ask(open_server, request(open_server, "/health", Origin="https://page.example.org")).status == 403


def test_a_name_that_was_allowed(open_server: Server) -> None:
    host = f"pi.local:{open_server.port}"
    assert ask(open_server, request(open_server, "/health", method="GET", host=host)).status == 200


def test_another_address_needs_a_key_and_its_own_host() -> None:
    with serving("--host", "0.0.0.0", environment={"EDGE_API_KEY": "k" * 20}) as server:
        for host, status in ((f"127.0.0.1:{server.port}", 200), (f"evil.example:{server.port}", 403)):
            answer = ask(
                server, request(server, "/v1/models", method="GET", host=host, Authorization="Bearer " + "k" * 20)
            )
            assert answer.status == status
        assert ask(server, request(server, "/v1/models", method="GET")).status == 401
        assert ask(server, request(server, "/v1/models", method="GET", Authorization="Bearer k")).status == 401
