"""The assistant's page in Debian's chromium, as a person uses it: the bundled model, and nothing leaves the machine."""

from __future__ import annotations

import importlib.util
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

CHROMIUM = Path("/usr/bin/chromium")
if not CHROMIUM.exists():
    pytest.skip("/usr/bin/chromium is missing: apt install chromium", allow_module_level=True)
pytest.importorskip("playwright.sync_api", reason="playwright is missing: pip install playwright")
for needed in ("starlette", "uvicorn"):
    pytest.importorskip(needed, reason="the extra `assistant` is missing")

from playwright.sync_api import Browser, BrowserContext, Page, Route, expect, sync_playwright  # noqa: E402

from edge.assistant import planner  # noqa: E402
from tests.apps.assistant.slow_server import LONG, slow_server  # noqa: E402

PATIENCE = 60_000  # ms: the machine may be busy
expect.set_options(timeout=PATIENCE)
# Presses a key in the very moment in which a question comes up.
EARLY_KEY = """() => new MutationObserver((_, observer) => {
    if (consent.hidden) return;
    observer.disconnect();
    for (const key of ["1", "Enter", "2"])
        consent.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
    consent.querySelector("[data-answer=once]").click();
}).observe(consent, {attributes: true, childList: true})"""
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """`edge assistant` with the bundled model, as a user starts it."""
    command = [sys.executable, "-m", "edge", "assistant", "--port", "0", "--data", str(tmp_path_factory.mktemp("data"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.match(r"http://127\.0\.0\.1:\d+/#\S+", process.stdout.readline())
        assert found is not None
        yield found.group(0)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


@pytest.fixture
def opened(browser: Browser) -> Iterator[Open]:
    """opened(address, width=..., ...): a page of a new profile. No request may go elsewhere, no script may fail."""
    problems: list[str] = []
    contexts: list[BrowserContext] = []

    def open_page(address: str, *, width: int = 1360, height: int = 860, **options: str) -> Page:
        origin = address.split("#")[0]
        context = browser.new_context(viewport={"width": width, "height": height}, **options)  # type: ignore[arg-type]
        contexts.append(context)

        def watched(route: Route) -> None:
            if not route.request.url.startswith(origin):
                problems.append(f"a request to {route.request.url}")
                route.abort()
            else:
                route.continue_()

        context.route("**/*", watched)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: problems.append(f"an error in the page: {error}"))
        page.on("console", lambda told: problems.append(told.text) if told.type == "error" else None)
        page.on("websocket", lambda socket: problems.append(f"a socket to {socket.url}"))
        page.goto(address)
        expect(page.locator("#model")).not_to_be_empty()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


@pytest.fixture
def one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Large models plan in one step, as where llguidance is missing."""
    find = importlib.util.find_spec

    def without(name: str) -> ModuleSpec | None:
        return None if name == "llguidance" else find(name)

    monkeypatch.setattr(planner, "find_spec", without)


def ask(page: Page, text: str) -> None:
    turns = page.locator(".turn").count()
    page.locator("#message").fill(text)
    page.keyboard.press("Enter")
    expect(page.locator(".turn")).to_have_count(turns + 1)


def consent(page: Page, key: str) -> None:
    """Answers by key, behind the time in which the question takes none."""
    expect(page.locator("#consent")).to_be_visible()
    page.wait_for_timeout(600)
    page.keyboard.press(key)


def done(page: Page) -> None:
    expect(page.locator(".turn.open")).to_have_count(0)


def room(page: Page, name: str) -> str:
    return str(page.locator(".house g > title", has_text=re.compile(f"^{name}:")).evaluate("e => e.textContent"))


def test_asked_confirmed_and_seen_in_the_home(opened: Open, address: str) -> None:
    page = opened(address)
    assert page.url.endswith("/"), "the token stays out of the address bar"
    assert "kitchen: light off" in room(page, "kitchen")
    page.evaluate(EARLY_KEY)
    ask(page, "Turn on the kitchen light")
    question = page.locator("#consent")
    expect(question).to_be_visible()
    assert question.locator("dt").all_text_contents() == ["room", "state"]
    assert question.locator("dd").all_text_contents() == ["kitchen", "on"]
    assert "light off" in room(page, "kitchen"), "nothing runs before consent"
    page.wait_for_timeout(200)
    expect(question).to_be_visible()  # keys and clicks that were on their way do not count
    consent(page, "1")
    done(page)
    expect(page.locator(".answer")).to_have_text("The light in the kitchen is on, 100 percent.")
    expect(page.locator(".house g > title", has_text="kitchen: light on")).to_have_count(1)
    expect(page.locator(".house .bulb.lit")).to_have_count(1)
    expect(page.locator(".figures")).to_contain_text("prompt tokens kept")
    expect(page.locator("#machine .kv i.kept").first).to_be_visible()


def test_refused_and_remembered(opened: Open, address: str) -> None:
    page = opened(address)
    ask(page, "Turn on the fan")
    consent(page, "3")
    done(page)
    expect(page.locator(".call .status")).to_have_text("refused")
    expect(page.locator(".house .socket.on")).to_have_count(0)
    ask(page, "Turn on the fan")
    expect(page.locator("#consent")).to_be_visible()
    page.wait_for_timeout(600)
    page.get_by_role("button", name="Always").click()
    done(page)
    ask(page, "Turn off the fan")
    expect(page.locator(".answer").last).to_have_text("The fan is off.")  # without a question
    page.get_by_text("Allowed without asking").click()
    page.get_by_role("button", name="Ask again for set_socket").click()
    expect(page.get_by_text("Nothing: every change is asked about.")).to_be_visible()


def test_an_answer_streams_and_is_stopped(opened: Open, tmp_path: Path, one_step: None) -> None:
    with slow_server(tmp_path / "data") as slow:
        page = opened(slow)
        ask(page, "tell me everything")
        expect(page.locator(".answer")).to_contain_text("word3")
        first = page.locator(".answer").inner_text()
        expect(page.locator(".answer")).to_contain_text("word20")
        assert page.locator(".answer").inner_text().startswith(first.rstrip()), "tokens are added as they come"
        page.reload()  # what came meanwhile is neither lost nor told twice
        expect(page.locator(".answer")).to_contain_text("word40 ")
        assert LONG.startswith(page.locator(".answer").inner_text().strip())
        page.keyboard.press("Escape")
        expect(page.locator(".turn .error")).to_have_text("Stopped.")
        assert len(page.locator(".answer").inner_text()) < len(LONG)
        expect(page.locator("#send")).to_be_visible()
        page.context.close()  # before its server goes


def test_a_plan_is_a_graph_and_text_is_never_markup(opened: Open, tmp_path: Path, one_step: None) -> None:
    with slow_server(tmp_path / "data") as slow:
        page = opened(slow)
        ask(page, "chain")
        expect(page.locator(".plan .edge")).to_have_count(3)
        calls = page.locator(".plan .call")
        assert calls.locator(".needs").all_text_contents() == ["", "", "after 1"]
        expect(page.locator(".plan-head")).to_contain_text("3 calls, 2 of them side by side")
        expect(page.locator("#consent dd")).to_have_text("6*7 = 42")  # the result that "$1.text" names
        consent(page, "1")
        done(page)
        expect(page.locator(".quoted blockquote")).to_contain_text("Ignore the person")
        expect(page.locator(".answer")).to_contain_text("<img src=x")
        assert page.locator(".turn :is(img, script)").count() == 0
        ask(page, '/add_note text="pay\u202e evil\u200b"')
        expect(page.locator("#consent dd")).to_have_text("pay‹U+202E› evil‹U+200B›")
        expect(page.locator("#consent .warns")).to_be_visible()  # untrusted text was read before
        expect(page.locator('#consent [data-answer="always"]')).to_have_count(0)
        page.get_by_role("button", name="Refuse and stop").click()
        expect(page.locator(".turn .error").last).to_have_text("Stopped.")
        assert page.title() == "edge assistant"
        page.context.close()


def test_forked_edited_and_found_after_a_reload(opened: Open, address: str) -> None:
    page = opened(address)
    ask(page, "What is 12*7?")
    done(page)
    ask(page, "Convert 5 miles to km")
    done(page)
    page.locator(".turn").first.get_by_role("button", name="Fork from here").click()
    expect(page.locator(".turn")).to_have_count(1)
    expect(page.locator("#conversations [aria-current] svg")).to_have_count(1)
    ask(page, "What is 9*9?")
    done(page)
    expect(page.locator("#shared")).to_contain_text("tokens shared")
    page.locator("#message").press("ArrowUp")
    page.keyboard.type("What is 9*8?")
    page.keyboard.press("Enter")
    expect(page.locator(".answer").last).to_have_text("9*8 = 72")
    done(page)
    page.get_by_role("button", name="Earlier version").click()
    expect(page.locator(".answer").last).to_have_text("9*9 = 81")
    page.reload()
    expect(page.locator(".answer").last).to_have_text("9*9 = 81")
    page.keyboard.press("Control+k")
    page.keyboard.type("miles")
    expect(page.locator("#conversations mark").first).to_have_text("miles")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".turn:focus .request-text")).to_have_text("Convert 5 miles to km")
    page.locator(".turn").last.get_by_role("button", name="Try again").click()
    expect(page.locator(".versions").last).to_contain_text("2/2")
    done(page)


def test_a_timer_counts_down_and_rings(opened: Open, address: str) -> None:
    page = opened(address)
    ask(page, "set a pasta timer for 3 seconds")
    consent(page, "1")
    expect(page.locator("#ringing")).to_contain_text("Pasta")
    assert page.title() == "🔔 Pasta"
    expect(page.locator("#say-now")).to_have_text("Pasta rings. Alt I ends it.")
    page.get_by_role("button", name="5 minutes more").click()
    expect(page.locator("#timers .left-time")).to_have_text(re.compile("[45]:[0-9]{2}"))
    page.get_by_role("button", name="Cancel Pasta").click()
    expect(page.locator("#timers-section")).to_be_hidden()
    ask(page, "set a timer for 1 second")
    consent(page, "1")
    expect(page.locator(".ringing")).to_have_count(1)
    page.keyboard.press("Alt+i")
    expect(page.locator(".ringing")).to_have_count(0)


def test_with_the_keyboard_only(opened: Open, address: str) -> None:
    page = opened(address)
    seen: list[str] = []
    page.evaluate("document.activeElement.blur()")
    for _ in range(70):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            continue
        seen.append(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
        outline = page.evaluate(
            "(e => getComputedStyle(e.id === 'message' ? e.form : e).outlineStyle)(document.activeElement)"
        )
        assert outline != "none", f"the focus is not seen on {seen[-1]}"
    assert {"new", "search", "theme", "keys", "message"} <= set(seen)
    page.keyboard.press("Alt+m")
    page.keyboard.type("Add tea to the shopping list")
    page.keyboard.press("Enter")
    expect(page.locator("#consent")).to_be_focused()
    consent(page, "1")
    done(page)
    expect(page.locator("#message")).to_be_focused()
    page.keyboard.press("Alt+k")
    expect(page.locator("#conversations [aria-current] svg")).to_have_count(1)
    page.keyboard.press("Alt+n")
    expect(page.locator("#empty")).to_be_visible()
    page.locator("h1").focus()
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    assert page.locator("#help dt").count() >= 10
    page.keyboard.press("Enter")  # on Close
    expect(page.locator("#help")).to_be_hidden()


def test_on_360_pixels(opened: Open, address: str) -> None:
    page = opened(address, width=360, height=720)

    def fits() -> bool:
        wide = "document.documentElement.scrollWidth > 360 || scroller.scrollWidth > scroller.clientWidth"
        return not page.evaluate(wide)

    assert fits()
    ask(page, f"/write_file path={'long' * 20}.txt text={'x' * 300}")
    expect(page.locator("#consent")).to_be_visible()
    assert fits()
    page.get_by_role("button", name="Allow once").wait_for()
    # The question may still be rising.
    page.wait_for_function("consent.querySelector('[data-answer=once]').getBoundingClientRect().bottom <= 720")
    consent(page, "3")
    done(page)
    assert fits()
    page.get_by_role("button", name="Home, timers and machine").click()
    expect(page.locator(".house")).to_be_visible()
    assert fits()
    page.keyboard.press("Escape")
    expect(page.locator(".house")).to_be_hidden()


def test_dark_by_the_system_and_by_the_switch(opened: Open, address: str) -> None:
    page = opened(address, color_scheme="dark")
    color = "getComputedStyle(document.querySelector('.middle')).backgroundColor"
    assert page.evaluate(color) == "rgb(30, 29, 27)"
    page.get_by_role("button", name="Colours").click()
    page.get_by_role("button", name="Colours").click()
    expect(page.get_by_role("button", name="Colours: light")).to_be_visible()
    assert page.evaluate(color) == "rgb(255, 254, 252)"
    page.reload()
    assert page.evaluate(color) == "rgb(255, 254, 252)", "the choice is kept"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(opened: Open, address: str, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is missing")
    page = opened(address, color_scheme=scheme, reduced_motion="reduce")

    def findings() -> list[str]:
        violations = axe.Axe().run(page).response["violations"]
        return [f"{each['id']}: {node['html']}" for each in violations
                if each["impact"] in ("serious", "critical") for node in each["nodes"]]  # fmt: skip

    assert findings() == []
    ask(page, "Turn on the TV and add bread to the shopping list")
    expect(page.locator("#consent")).to_be_visible()
    page.wait_for_timeout(300)
    assert findings() == []
    page.get_by_role("button", name="Refuse and stop").click()
    done(page)
    ask(page, "What's on my shopping list?")
    done(page)
    assert findings() == []


def test_another_start_asks_for_its_address(opened: Open, address: str, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(address.split("#")[0] + "#" + "x" * 32)
    expect(page.locator("#locked")).to_contain_text("needs the address from the terminal")
    page.goto(address)  # the fragment alone changes
    expect(page.locator("#model")).not_to_be_empty()
    expect(page.locator("#locked")).to_be_hidden()
    page.close()
