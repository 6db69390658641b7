"""Takes the pictures of docs/assistant.md: a real `edge assistant` with the bundled model, in Debian's chromium.

    python -m scripts.assistant_screens [--out docs/assistant] [--colors 256]

Needs playwright, pillow (fewer colours, smaller files) and /usr/bin/chromium. Look at what it wrote.
"""

# pyright: basic, reportMissingImports=false

from __future__ import annotations

import argparse
import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.apps.assistant.page_server import page_server

SIZE = (1320, 900)
NARROW = (360, 720)
BEFORE = (  # said and allowed before the first picture
    "Add milk and eggs to the shopping list",
    "Remind me tomorrow at 9 to call mum",
    "Turn on the kitchen light",
)


@contextmanager
def opened(browser: Browser, address: str, size: tuple[int, int], scheme: Literal["light", "dark"]) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(address)
    expect(page.locator("#message")).to_be_enabled()
    yield page
    context.close()


def ask(page: Page, text: str, answer: str | None = "1") -> None:
    """answer: the key for every question; None leaves the first one open."""
    turns = page.locator(".turn").count()
    page.locator("#message").fill(text)
    page.keyboard.press("Enter")
    expect(page.locator(".turn")).to_have_count(turns + 1)
    while page.locator(".turn.open").count():
        page.wait_for_timeout(100)
        if page.locator("#consent").is_visible():
            page.wait_for_timeout(600)
            if answer is None:
                return
            page.keyboard.press(answer)
            page.wait_for_timeout(200)


def save(page: Page, path: Path, colors: int) -> None:
    page.mouse.move(0, 0)
    page.wait_for_timeout(1200)  # the status comes once a second
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    image.quantize(colors).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size / 1024:.0f} KiB")


def pictures(browser: Browser, address: str, out: Path, colors: int) -> None:
    with opened(browser, address, SIZE, "light") as page:
        for text in BEFORE:
            ask(page, text)
        page.locator("#new").click()
        ask(page, "What is 18% of 240?")
        page.locator("#fork").click()
        expect(page.locator("#conversations [aria-current] svg")).to_have_count(1)
        ask(page, "Turn on the fan and make the living room blue")
        ask(page, "Set a tea timer for 3 minutes")
        save(page, out / "light.png", colors)
        ask(page, "What's on my shopping list?")
        ask(page, "Add butter to the shopping list", None)
        save(page, out / "consent.png", colors)
        page.keyboard.press("3")
        expect(page.locator(".turn.open")).to_have_count(0)
    with opened(browser, address, SIZE, "dark") as page:
        ask(page, "Convert 5 miles to km")
        ask(page, "Turn off the fan and add bread to the shopping list", None)
        save(page, out / "dark.png", colors)
        page.keyboard.press("3")
    with opened(browser, address, NARROW, "light") as page:
        ask(page, '/write_file path=notes/plan.txt text="Buy paint and call the plumber"', None)
        save(page, out / "narrow.png", colors)
        page.keyboard.press("3")
        expect(page.locator(".turn.open")).to_have_count(0)
        page.locator('[data-open="right"]').click()
        save(page, out / "narrow-home.png", colors)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/assistant"))
    parser.add_argument("--colors", type=int, default=256)
    options = parser.parse_args()
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as data:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        with page_server(Path(data), "--memory", "250MiB") as server:
            pictures(browser, f"{server.base}/#{server.token}", options.out, options.colors)
        browser.close()


if __name__ == "__main__":
    main()
