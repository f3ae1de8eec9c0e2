"""In a real browser: answers appear while they are written, nothing leaves the machine, everybody can read the page.

pip install playwright axe-playwright-python; a Chromium on the PATH. Left out otherwise.
"""

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import NAMES, Served, furnished, served

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH")
PACE_S = 0.02


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    yield from served(furnished(tmp_path_factory.mktemp("page") / "home", PACE_S))


@pytest.fixture
def page(browser: Any, server: Served, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A page that has been let in. It complains where anything is asked of another machine, or goes wrong in it."""
    given = {"viewport": {"width": 1280, "height": 900}, **getattr(request, "param", {})}
    context = browser.new_context(**given)
    reader = server.house.readers["owner"]
    name = f"pluriverse-{server.url.rpartition(':')[2]}"
    context.add_cookies([{"name": name, "value": reader.cookie, "url": server.url}])
    page = context.new_page()
    asked: list[str] = []
    wrong: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on(
        "console",
        lambda message: (
            wrong.append(f"{message.text} {message.location}") if message.type in {"error", "warning"} else None
        ),
    )
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(server.url)
    yield page
    assert [url for url in asked if not url.startswith((server.url + "/", "data:"))] == []
    assert wrong == []
    context.close()


def test_a_question_is_answered_while_it_is_read(page: Any) -> None:
    page.fill("textarea", "Road or trees, and why would you say so of all things?")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".answer.waiting .said p")
    early = page.locator("#a0-0 .said").inner_text()
    page.wait_for_selector("#say")
    late = page.locator("#a0-0 .said").inner_text()
    assert late.startswith(early.strip()) and len(late) > len(early)
    assert page.locator(".answer.waiting").count() == 0 and "/talk/" in page.url
    assert page.locator("#status").inner_text() == "All have answered"
    page.fill("#say textarea", "And then?")
    page.uncheck("#say [value=green]")
    page.click("#say button.go")
    page.wait_for_selector("#r1 .made")
    page.wait_for_selector("#say")
    assert page.locator("#r1 .answer").count() == 1 and page.locator("#r0 .answer").count() == 2
    page.reload()
    assert page.locator(".answer").count() == 3
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_one_is_stopped_and_then_all(page: Any) -> None:
    words = " ".join(f"word{number}" for number in range(200))
    page.fill("textarea", words)
    page.click("button.go")
    page.wait_for_selector("#a0-0.waiting .said p")
    page.click("#a0-0 button")
    page.wait_for_selector("#a0-0:not(.waiting)")
    assert "Stopped." in page.locator("#a0-0").inner_text()
    assert page.locator("#a0-1.waiting").count() == 1
    page.click(".going button")
    page.wait_for_selector("#say")
    assert "Stopped." in page.locator("#a0-1").inner_text()


@pytest.mark.slow
@pytest.mark.parametrize("page", [{"java_script_enabled": False}], indirect=True)
def test_all_of_it_works_without_javascript(page: Any) -> None:
    page.fill("textarea", "Road or trees?")
    page.click("label[for=panel-five]")
    page.click("button.go")
    assert page.locator(".answer").count() == 5
    page.locator(".answer summary").first.click()
    assert "Green says" in page.locator(".answer .said").first.inner_text()
    page.fill("#text", "And then?")
    page.click("#say button.go")
    assert page.locator(".round").count() == 2
    page.click("text=Kept")
    page.click("text=Delete >> nth=0")
    page.click("nav >> text=Voices")
    page.click("text=Make a new one")
    page.fill("[name=name]", "gardener")
    page.fill("[name=system]", "You are an old gardener.")
    page.click("text=Make it")
    assert page.url.endswith("/assistants/gardener")


@pytest.mark.slow
@pytest.mark.parametrize("page", [{"viewport": {"width": 360, "height": 740}}], indirect=True)
def test_nothing_sticks_out_of_a_telephone(page: Any, server: Served) -> None:
    page.fill("textarea", "Road or trees? " + "Averylongwordwithoutanyplacetobreak" * 4)
    page.click("button.go")
    page.wait_for_selector("#say")
    talk = page.url
    for where in ("/", "/history", "/assistants", "/assistants/green", "/assistants/new", "/results", "/models", talk):
        page.goto(where if where.startswith("http") else server.url + where)
        for details in page.locator("details").all():
            details.evaluate("each => each.open = true")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, where


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("axe_playwright_python") is None, reason="no axe-playwright-python")
@pytest.mark.parametrize(
    "page",
    [{"color_scheme": "light"}, {"color_scheme": "dark"}, {"locale": "ar"}],
    indirect=True,
    ids=["light", "dark", "arabic"],
)
def test_everybody_can_read_it(page: Any, server: Served) -> None:
    """axe finds nothing against WCAG 2.2 AA, nor against its best practice."""
    import axe_playwright_python

    axe = next(Path(axe_playwright_python.__file__).parent.rglob("axe.min.js")).read_text("utf-8")
    page.click("label[for=panel-five]")
    page.fill("textarea", "Road or trees?")
    page.click("button.go")
    page.wait_for_selector("#say")
    talk = page.url
    for where in ("/", "/history", "/assistants", "/assistants/green", "/assistants/new", "/results", "/models",
                  "/models/smollm2-135m-instruct", "/choices", talk):  # fmt: skip
        page.goto(where if where.startswith("http") else server.url + where)
        for details in page.locator("details").all():
            details.evaluate("each => each.open = true")
        page.evaluate(f"() => {{ {axe} }}")
        found = page.evaluate("() => axe.run()")
        told = [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found["violations"]]
        assert told == [], where


@pytest.mark.slow
def test_eight_streams_keep_frames_short(page: Any, server: Served) -> None:
    voices = [*NAMES, "duty", "outcomes", "progressive"]
    page.goto(f"{server.url}/?{'&'.join(f'voice={name}' for name in voices)}")
    page.fill("textarea", " ".join(f"word{number}" for number in range(150)))
    page.evaluate(
        "() => { window.gaps = []; let last = performance.now(); const tick = now => { window.gaps.push(now - last);"
        " last = now; window.going && requestAnimationFrame(tick); }; window.going = true; requestAnimationFrame(tick);"
        " new PerformanceObserver(list => list.getEntries().forEach(each => window.gaps.push(each.duration)))"
        ".observe({type: 'longtask'}); window.tasks = []; }"
    )
    page.click("button.go")
    page.wait_for_selector("#a0-7.waiting", state="attached")
    page.evaluate("window.gaps = []")
    page.wait_for_selector("#say", timeout=120_000)
    gaps = sorted(page.evaluate("window.gaps"))
    assert len(gaps) > 30 and gaps[int(len(gaps) * 0.99)] < 50


def test_a_page_is_light(page: Any, server: Served) -> None:
    page.goto(server.url, wait_until="networkidle")
    kinds = "['navigation', 'resource'].flatMap(each => performance.getEntriesByType(each))"
    sizes = dict(page.evaluate(f"() => {kinds}.map(each => [each.name, each.decodedBodySize])"))
    assert len(sizes) >= 4 and sum(sizes.values()) < 150_000, sizes
