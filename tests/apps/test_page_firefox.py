"""The assistant's page in Firefox, driven over Marionette: it streams, asks, changes the home, and keeps its policy."""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import time
import warnings
from collections.abc import Generator
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import pytest

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
if FIREFOX is None:
    pytest.skip("Firefox is missing: apt install firefox-esr", allow_module_level=True)
with warnings.catch_warnings():  # one of its dependencies reads the distribution's name in an old way
    warnings.simplefilter("ignore")
    driver: Any = pytest.importorskip("marionette_driver.marionette", reason="pip install marionette-driver")
    errors: Any = pytest.importorskip("marionette_driver.errors")
for needed in ("starlette", "uvicorn"):
    pytest.importorskip(needed, reason="the extra `assistant` is missing")

from edge.assistant import planner  # noqa: E402
from tests.apps.assistant.page_server import page_server, until  # noqa: E402
from tests.apps.assistant.slow_server import LONG, slow_server  # noqa: E402

ENTER, ESCAPE = "\ue007", "\ue00c"
PATIENCE = 120  # seconds: the machine may be busy; no wait is for a time, all are for what is seen
PRESSED_AGAIN = 2  # seconds after which a key is pressed again: a question takes none in its first half second
# What Firefox's own console holds about pages of this machine: errors, and what their policy refused.
COMPLAINTS = """
return Services.console.getMessageArray().filter((each) => each instanceof Ci.nsIScriptError
    && !(each.flags & each.warningFlag) && /^http:.*127\\.0\\.0\\.1/.test(each.sourceName))
    .map((each) => each.toString())
"""
# An inline script, a picture and a request from elsewhere; done(what the policy named), once it has named so many.
INTRUDE = """
const [wanted, done] = arguments, refused = new Set();
addEventListener("securitypolicyviolation", (event) => {
    refused.add(event.effectiveDirective);
    if (refused.size >= Number(wanted)) done([[...refused], document.title]);
});
const script = document.createElement("script");
try { script.append("document.title = 'owned'"); document.head.append(script); } catch { /* not a trusted type */ }
const picture = new Image();
picture.src = "http://127.0.0.2:9/picture.png";
fetch("http://127.0.0.2:9/").catch(() => {});
"""


class Firefox:
    """One window. Every wait is for what a person would see."""

    def __init__(self, session: Any) -> None:
        self.session = session

    def open(self, address: str) -> None:
        self.session.navigate("about:blank")  # else only the fragment of the address would change
        with self.session.using_context("chrome"):
            self.session.execute_script("Services.console.reset()")
        self.session.navigate(address)
        until(lambda: self.count("#message:not([disabled])"), PATIENCE)

    def run(self, script: str, *given: str) -> Any:
        return self.session.execute_script(script, script_args=given)

    def text(self, selector: str) -> str:
        """Of the last element."""
        return str(self.run("return [...document.querySelectorAll(arguments[0])].at(-1)?.textContent ?? ''", selector))

    def count(self, selector: str) -> int:
        return int(self.run("return document.querySelectorAll(arguments[0]).length", selector))

    def until_text(self, selector: str, part: str = "") -> None:
        until(lambda: part in self.text(selector) if part else self.text(selector), PATIENCE)

    def ask(self, text: str) -> None:
        turns = self.count(".turn")
        self.session.find_element("id", "message").send_keys(text + ENTER)
        until(lambda: self.count(".turn") == turns + 1, PATIENCE)

    def consent(self, key: str) -> None:
        """Presses the key until the question goes."""
        until(lambda: self.count("#consent:not([hidden])"), PATIENCE)
        pressed = 0.0

        def answered() -> int:
            nonlocal pressed
            gone = self.count("#consent[hidden]")
            if not gone and time.monotonic() - pressed > PRESSED_AGAIN:
                pressed = time.monotonic()
                with contextlib.suppress(errors.ElementNotInteractableException):  # it went in between
                    self.session.find_element("id", "consent").send_keys(key)
            return gone

        until(answered, PATIENCE)

    def done(self) -> None:
        until(lambda: self.count(".turn.open") == 0, PATIENCE)

    def complaints(self) -> list[str]:
        with self.session.using_context("chrome"):
            return list(self.session.execute_script(COMPLAINTS))


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Generator[Any]:
    log = tmp_path_factory.mktemp("firefox") / "gecko.log"
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", ResourceWarning
        )  # it knocks until Firefox opens its port, and drops the sockets
        started = driver.Marionette(
            bin=FIREFOX, headless=True, app_args=["-remote-allow-system-access"], gecko_log=str(log),
            startup_timeout=180, socket_timeout=2 * PATIENCE,
            prefs={"layout.css.prefers-color-scheme.content-override": 0},  # dark
        )  # fmt: skip
        started.start_session()
    started.timeout.script = started.timeout.page_load = PATIENCE
    started.set_window_rect(width=1360, height=900)
    yield started
    profiles = [started.instance.profile]
    started.cleanup()
    profiles.append(started.instance.profile)  # it makes a new one while it ends
    for profile in profiles:
        profile.cleanup()
        profile.restore = False  # else it is removed once more while the interpreter ends


@pytest.fixture
def firefox(session: Any) -> Generator[Firefox]:
    """No script may fail and nothing may be refused by the policy, but where a test does it on purpose."""
    opened = Firefox(session)
    yield opened
    assert opened.complaints() == []
    session.navigate("about:blank")  # before its server goes


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    with page_server(tmp_path_factory.mktemp("data")) as server:
        yield f"{server.base}/#{server.token}"


@pytest.fixture
def one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec

    def without(name: str) -> ModuleSpec | None:
        return None if name == "llguidance" else find(name)

    monkeypatch.setattr(planner, "find_spec", without)


def test_asked_confirmed_seen_in_the_home_and_found_after_a_reload(firefox: Firefox, address: str) -> None:
    firefox.open(address)
    assert firefox.session.get_url().endswith("/"), "the token stays out of the address bar"
    assert (
        firefox.run("return getComputedStyle(document.querySelector('.middle')).backgroundColor") == "rgb(30, 29, 27)"
    )
    firefox.ask("Turn on the kitchen light")
    until(lambda: firefox.count("#consent:not([hidden])"), PATIENCE)
    assert firefox.run("return [...document.querySelectorAll('#consent dd')].map((each) => each.textContent)") == [
        "kitchen", "on",
    ]  # fmt: skip
    assert firefox.count(".house .bulb.lit") == 0, "nothing runs before consent"
    firefox.consent("1")
    firefox.done()
    firefox.until_text(".answer", "The light in the kitchen is on, 100 percent.")
    until(lambda: firefox.count(".house .bulb.lit") == 1, PATIENCE)
    until(lambda: firefox.count("#machine .kv i.kept") > 0, PATIENCE)
    origin = address.split("#")[0]
    loaded = firefox.run("return performance.getEntriesByType('resource').map((each) => each.name)")
    assert loaded and all(each.startswith(origin) for each in loaded)
    firefox.session.refresh()
    firefox.until_text(".answer", "The light in the kitchen is on")
    firefox.ask("Set a pasta timer for 2 seconds")
    firefox.consent("1")
    firefox.until_text("#ringing", "Pasta")
    firefox.session.find_element("css selector", "#ringing .primary").click()
    until(lambda: firefox.count(".ringing") == 0, PATIENCE)


def test_an_answer_streams_and_is_stopped(firefox: Firefox, tmp_path: Path, one_step: None) -> None:
    with slow_server(tmp_path / "data") as slow:
        firefox.open(slow)
        firefox.ask("tell me everything")
        firefox.until_text(".answer", "word3")
        first = firefox.text(".answer")
        firefox.until_text(".answer", "word20")
        assert firefox.text(".answer").startswith(first.rstrip()), "tokens are added as they come"
        firefox.session.find_element("id", "message").send_keys(ESCAPE)
        firefox.until_text(".turn .error", "Stopped.")
        assert len(firefox.text(".answer")) < len(LONG)
        firefox.session.navigate("about:blank")


def test_its_policy_refuses_what_is_not_its_own(firefox: Firefox, address: str) -> None:
    firefox.open(address)
    assert firefox.complaints() == []
    wanted = {"connect-src", "img-src", "require-trusted-types-for"}
    refused, title = firefox.session.execute_async_script(INTRUDE, script_args=[str(len(wanted))])
    assert title == "edge assistant"
    assert set(refused) == wanted
    with firefox.session.using_context("chrome"):
        firefox.session.execute_script("Services.console.reset()")
