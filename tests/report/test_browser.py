"""In a real browser, where Playwright and Chromium are at hand: nothing sticks out, dark is dark, paper has it all.

pip install playwright; a Chromium on the PATH. Left out otherwise.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pluriverse.report.page import render

from .sample import full

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render(full()), "utf-8")
    return path.as_uri()


@pytest.mark.parametrize("width", [360, 768, 1280, 2560])
def test_nothing_sticks_out_and_nothing_is_fetched(browser: Any, address: str, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    asked, complaints = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert asked == [address] and complaints == []
    page.close()


def test_dark_is_dark_and_the_first_tab_skips(browser: Any, address: str) -> None:
    for scheme, dark in (("dark", True), ("light", False)):
        page = browser.new_page(color_scheme=scheme)
        page.goto(address)
        ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert (sum(int(part) for part in ground[4:-1].split(",")) < 120) == dark
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.close()


def test_it_works_without_javascript_and_paper_opens_everything(browser: Any, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    folded = page.locator("details:not([open]) table").first
    assert not folded.is_visible()
    page.emulate_media(media="print")
    assert folded.is_visible()
    context.close()


def test_tables_of_value_and_interval_fit_a_telephone(browser: Any, address: str) -> None:
    page = browser.new_page(viewport={"width": 360, "height": 800})
    page.goto(address)
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    tables = page.evaluate(
        "[...document.querySelectorAll('.scroll')].filter(each => each.querySelectorAll('thead th').length == 4)"
        ".map(each => each.scrollWidth <= each.clientWidth)"
    )
    assert tables and all(tables)
    page.close()
