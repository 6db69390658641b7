"""The API that the page uses, over HTTP: API.md, line by line."""

from __future__ import annotations

import json
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from pathlib import Path

import pytest

pytest.importorskip("starlette", reason="the page needs the extra assistant")
pytest.importorskip("uvicorn", reason="the page needs the extra assistant")

from tests.apps.assistant.page_server import PageServer, page_server, until  # noqa: E402


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[PageServer]:
    with page_server(tmp_path_factory.mktemp("page")) as running:
        yield running


@pytest.fixture
def conversation(server: PageServer) -> int:
    return int(server.post("/api/conversations")["id"])


def test_the_first_look(server: PageServer) -> None:
    state = server.get("/api/state")
    assert state["model"]["bundled"] and state["model"]["context"] == 2048
    assert [room["name"] for room in state["home"]["rooms"]][:2] == ["living room", "kitchen"]
    assert state["status"]["memory"]["resident"] < 250 * 2**20
    assert state["status"]["kv"]["block_tokens"] == 32 and state["status"]["kv"]["total"] == 256


def test_a_request_as_the_page_follows_it(server: PageServer, conversation: int) -> None:
    names: list[str] = []
    with server.events(server.get("/api/state")["last_event"]) as events:
        turn = server.post(f"/api/conversations/{conversation}/turns", {"text": "turn on the bedroom light"})
        assert turn["status"] == "running"
        for name, data in events:
            names.append(name)
            if name == "call.updated" and data["status"] == "asking":
                assert data["shown"] == 'set_light(room="bedroom", state="on")'
                assert (data["reason"], data["may_remember"]) == ("first", True)
                assert server.call("POST", f"/api/conversations/{conversation}/turns", {"text": "x"})[0] == 409
                wrong = server.call("POST", f"/api/calls/{data['id']}/consent", {"answer": "once", "digest": "0" * 24})
                assert (wrong[0], wrong[1]["error"]["code"]) == (409, "changed")
                server.post(f"/api/calls/{data['id']}/consent", {"answer": "once", "digest": data["digest"]})
            if name == "turn.ended":
                assert data["answer"] == "The light in the bedroom is on, 100 percent."
                break
    kept = [name for name in names if name != "status"]
    assert kept == [
        "turn.started",
        "turn.prefill",
        "turn.plan",
        "call.updated",
        "call.updated",
        "home.updated",
        "call.updated",
        "turn.token",
        "turn.ended",
    ]
    assert next(room for room in server.get("/api/home")["rooms"] if room["name"] == "bedroom")["light"]["on"]
    shown = server.get(f"/api/conversations/{conversation}")
    assert (shown["title"], shown["num_turns"]) == ("turn on the bedroom light", 1)
    assert [call["status"] for call in shown["turns"][0]["calls"]] == ["done"]


def test_refusing(server: PageServer, conversation: int) -> None:
    turn = server.ask(conversation, "turn on the hall light", consent="refuse")
    assert [call["status"] for call in turn["calls"]] == ["refused"]
    assert not next(room for room in server.get("/api/home")["rooms"] if room["name"] == "hall")["light"]["on"]


def test_always_and_taking_it_back(server: PageServer, conversation: int) -> None:
    server.ask(conversation, "/add_note text=one", consent="always")
    grant = next(grant for grant in server.get("/api/grants")["grants"] if grant["tool"] == "add_note")
    tool = next(tool for tool in server.get("/api/tools")["tools"] if tool["name"] == "add_note")
    assert tool["granted"] == [""] and tool["effect"] == "write"
    assert server.ask(conversation, "/add_note text=two", consent="refuse")["calls"][0]["status"] == "done"
    assert server.call("DELETE", f"/api/grants/{grant['id']}") == (204, None)
    assert server.ask(conversation, "/add_note text=three", consent="refuse")["calls"][0]["status"] == "refused"
    assert [note["text"] for note in server.get("/api/notes?q=o")["notes"]] == ["two", "one"]


def test_stopping_while_it_asks(server: PageServer, conversation: int) -> None:
    turn = server.post(f"/api/conversations/{conversation}/turns", {"text": "/add_note text=x"})
    until(lambda: server.get(f"/api/conversations/{conversation}")["turns"][0]["status"] == "asking")
    server.post(f"/api/turns/{turn['id']}/stop")
    until(lambda: server.get(f"/api/conversations/{conversation}")["turns"][0]["status"] == "stopped")


def test_edit_retry_select_fork_rename_remove(server: PageServer, conversation: int) -> None:
    first = server.ask(conversation, "what is 2 plus 3")
    fork = server.post("/api/conversations", {"fork_of": conversation})
    assert fork["forked_from"] == conversation and fork["shared_tokens"] >= 448
    kv = server.get("/api/status")["kv"]
    assert 14 <= kv["common"] <= kv["kept"] + kv["used"] and kv["saved"] >= kv["common"], "the list of tools, kept once"
    edited = server.post(f"/api/turns/{first['id']}/edit", {"text": "what is 2 plus 9", "conversation": conversation})
    until(lambda: server.get(f"/api/conversations/{conversation}")["running"] is None)
    (turn,) = server.get(f"/api/conversations/{conversation}")["turns"]
    assert (turn["answer"], turn["versions"]) == ("2+9 = 11", [first["id"], edited["id"]])
    server.post(f"/api/turns/{edited['id']}/retry", {})
    until(lambda: server.get(f"/api/conversations/{conversation}")["running"] is None)
    shown = server.post(f"/api/turns/{first['id']}/select", {"conversation": conversation})
    assert [turn["answer"] for turn in shown["turns"]] == ["2+3 = 5"] and len(shown["turns"][0]["versions"]) == 3
    assert server.call("PATCH", f"/api/conversations/{fork['id']}", {"title": " Sums "})[1]["title"] == "Sums"
    assert server.call("DELETE", f"/api/conversations/{conversation}") == (204, None)
    assert server.call("GET", f"/api/conversations/{conversation}")[0] == 404
    assert [turn["answer"] for turn in server.get(f"/api/conversations/{fork['id']}")["turns"]] == ["2+3 = 5"]
    hits = server.get("/api/search?q=plus%203")["hits"]
    assert [(hit["conversation"], hit["title"]) for hit in hits] == [(fork["id"], "Sums")]


def test_a_timer_rings_is_put_off_and_ends(server: PageServer, conversation: int) -> None:
    with server.events(server.get("/api/state")["last_event"]) as events:
        server.ask(conversation, "/set_timer duration=1s label=egg")
        timer = next(data for name, data in events if name == "timer.ringing")
    assert (timer["text"], timer["status"], timer["late"]) == ("Timer egg: 1 second", "ringing", False)
    assert server.post(f"/api/timers/{timer['id']}/snooze", {"minutes": 2})["status"] == "set"
    assert server.call("POST", f"/api/timers/{timer['id']}/dismiss", {})[0] == 404
    assert timer["id"] in [each["id"] for each in server.get("/api/timers")["timers"]]
    assert server.post(f"/api/timers/{timer['id']}/cancel")["status"] == "cancelled"
    assert timer["id"] not in [each["id"] for each in server.get("/api/timers")["timers"]]


def test_what_was_missed_comes_again(server: PageServer, conversation: int) -> None:
    before = server.get("/api/state")["last_event"]
    server.ask(conversation, "hello")
    with server.events(before) as events:
        assert next(name for name, _ in events if name.startswith("turn")) == "turn.started"
    with server.events(10**9) as events:
        assert next(events)[0] == "reset"


def test_status_comes_by_itself(server: PageServer) -> None:
    with server.events(0) as events:
        status = next(data for name, data in events if name == "status")
    assert set(status) == {"memory", "kv", "speed", "energy", "temperature", "running", "uptime"}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/api/nothing", None, 404, "not_found"),
        ("GET", "/api/conversations/99999", None, 404, "not_found"),
        ("GET", "/api/conversations/99999999999999999999999", None, 404, "not_found"),
        ("PUT", "/api/state", {}, 404, "not_found"),
        ("POST", "/api/conversations", {"fork": 1}, 400, "unknown_field"),
        ("POST", "/api/conversations", {"fork_of": "1"}, 400, "invalid_field"),
        ("POST", "/api/conversations", {"fork_of": 99999}, 404, "not_found"),
        ("POST", "/api/conversations", [], 400, "invalid_json"),
        ("POST", "/api/conversations/1/turns", {}, 400, "invalid_field"),
        ("POST", "/api/conversations/1/turns", {"text": "  "}, 400, "invalid_field"),
        ("POST", "/api/conversations/1/turns", {"text": "x" * 8001}, 400, "invalid_field"),
        ("POST", "/api/conversations/1/turns", {"text": "x" * 300_000}, 413, "too_large"),
        ("POST", "/api/turns/99999/stop", {}, 404, "not_found"),
        ("POST", "/api/calls/99999/consent", {"answer": "once", "digest": "x"}, 409, "already_answered"),
        ("POST", "/api/calls/1/consent", {"answer": "yes", "digest": "x"}, 400, "invalid_field"),
        ("POST", "/api/timers/99999/snooze", {"minutes": 5}, 404, "not_found"),
        ("POST", "/api/timers/1/snooze", {"minutes": 500}, 400, "invalid_field"),
        ("GET", "/api/search?limit=0", None, 400, "invalid_field"),
        ("GET", "/api/search?query=x", None, 400, "unknown_field"),
        ("GET", "/api/stream?after=x", None, 400, "invalid_field"),
        ("DELETE", "/api/grants/99999", None, 404, "not_found"),
    ],
)
def test_refusals(server: PageServer, method: str, path: str, body: object, status: int, code: str) -> None:
    found, value = server.call(method, path, body)
    if found == 405:
        found = 404  # another method of a known path
    assert (found, value["error"]["code"]) == (status, code), value
    assert value["error"]["message"]


@pytest.mark.parametrize("token", ["", "x", "Bearer"])
def test_no_token_no_answer(server: PageServer, token: str) -> None:
    for method, path in (
        ("GET", "/api/state"),
        ("GET", "/api/stream"),
        ("POST", "/api/conversations"),
        ("GET", "/api"),
    ):
        status, value = server.call(method, path, {} if method == "POST" else None, token=token)
        assert (status, value["error"]["code"]) == (401, "wrong_token")


def test_another_host_or_origin(server: PageServer) -> None:
    port = server.base.rpartition(":")[2]
    for headers in (
        {"Host": f"evil.example:{port}"},
        {"Origin": "http://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        assert server.call("GET", "/api/state", headers=headers)[0] == 403
    assert server.call("POST", "/api/conversations", {}, headers={"Content-Type": "text/plain"})[0] == 415
    assert server.call("GET", "/api/state", headers={"Origin": server.base})[0] == 200


def test_headers_of_every_response(server: PageServer) -> None:
    for path, token in (("/", ""), ("/api/state", server.token), ("/api/state", "wrong"), ("/nothing", "")):
        request = urllib.request.Request(server.base + path, headers={"Authorization": f"Bearer {token}"})
        try:
            with urllib.request.urlopen(request) as response:
                headers = response.headers
        except urllib.error.HTTPError as error:
            with error:
                headers = error.headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["Cache-Control"] == "no-store"


def test_paths_reach_only_the_page(server: PageServer) -> None:
    host, _, port = server.base.removeprefix("http://").partition(":")
    for path in (
        "/../API.md",
        "/%2e%2e/API.md",
        "/..%2fAPI.md",
        "/API.md",
        "/assistant.py",
        "//etc/passwd",
        "/.git/config",
    ):
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        assert answer.split()[1] in (b"404", b"400"), (path, answer[:200])


def test_it_listens_on_loopback_only(server: PageServer) -> None:
    import psutil

    listening = [
        c.laddr.ip for c in psutil.Process(server.process.pid).net_connections() if c.status == psutil.CONN_LISTEN
    ]
    assert listening == ["127.0.0.1"]


def test_the_page_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from edge.assistant.web import app

    (tmp_path / "js").mkdir()
    for name in ("index.html", "js/page.js", "style.css", "secret.py", "notes.txt"):
        (tmp_path / name).write_text(name)
    monkeypatch.setattr(app, "PAGE", tmp_path)
    assert sorted(route.path for route in app._page_routes()) == ["/", "/index.html", "/js/page.js", "/style.css"]  # pyright: ignore[reportPrivateUsage]


def test_it_ends_quickly_and_starts_again_with_all(tmp_path: Path) -> None:
    with page_server(tmp_path) as first:
        where = first.post("/api/conversations")["id"]
        first.ask(where, "/add_note text=keep")
        with first.events(0) as events:
            next(events)
            began = time.monotonic()
            first.process.send_signal(signal.SIGTERM)
            assert first.process.wait(10) == 0
            assert time.monotonic() - began < 5
    with page_server(tmp_path) as second:
        assert second.token != first.token
        assert second.call("GET", "/api/state", token=first.token)[0] == 401
        assert [note["text"] for note in second.get("/api/notes")["notes"]] == ["keep"]
        assert json.dumps(second.get(f"/api/conversations/{where}")).count("The note is written.") == 2
