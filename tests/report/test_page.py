"""The page as a file: well formed, alone in the world, readable by everybody, and true to its numbers."""

import re
from dataclasses import replace
from itertools import pairwise

import pytest

from pluriverse.measure.results.parts import LeaderboardRow, Map, MapPoint, Report, SensitivityRow
from pluriverse.measure.schema.figure import Figure
from pluriverse.report.page import card_page, render
from pluriverse.report.style import STYLE
from pluriverse.report.visibility import FAILED

from .reading import Page, numbers_in, plots
from .sample import ASSISTANTS, BASE, full

HOSTILE = "</svg><script>alert(1)</script>\x00\x1b[2J\"'&amp;\u202egnp.exe]]>-->"


@pytest.fixture(scope="module")
def text() -> str:
    return render(full())


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def test_it_is_one_file_that_loads_nothing_and_runs_nothing(text: str, page: Page) -> None:
    assert not {"script", "link", "img", "iframe", "object", "embed", "base", "form"} & {tag for tag, _ in page.tags}
    assert not re.search(r"@import|@font-face|url\((?!#)|expression\(", text)
    for tag, given in page.tags:
        assert not [
            name for name in given if name.startswith("on") or name in {"src", "srcset", "poster", "xlink:href"}
        ]
        if "href" in given:
            assert tag == "a" and re.match(r"#|https?://", given["href"] or "")
    policy = next(given["content"] for _, given in page.tags if given.get("http-equiv") == "Content-Security-Policy")
    assert policy and policy.startswith("default-src 'none'; style-src 'unsafe-inline'")


def test_ids_are_its_own_and_links_inside_it_lead_somewhere(page: Page) -> None:
    assert len(page.ids) == len(set(page.ids))
    for _, given in page.tags:
        targets = [(given.get("href") or "#main")[1:]] if (given.get("href") or "").startswith("#") else []
        targets += (given.get("aria-labelledby") or "").split()
        assert set(targets) <= set(page.ids)


def test_every_plot_is_xml_with_words_for_those_who_do_not_see_it(text: str) -> None:
    found = plots(text)
    assert len(found) > 20
    for plot, _ in found:
        assert plot.get("role") == "img"
        assert [child.tag.split("}")[1] for child in plot][:2] == ["title", "desc"]
        assert all(len(child.text or "") > 5 for child in list(plot)[:2])


def test_the_table_after_a_plot_has_all_its_numbers(text: str) -> None:
    told = 0
    for plot, after in plots(text):
        for number in numbers_in(plot):
            assert re.search(rf"(?<![\d.,−]){re.escape(number)}", after), (number, after)
            told += 1
    assert told > 100


def test_tables_name_their_columns_and_rows(page: Page) -> None:
    heads = [given.get("scope") for tag, given in page.tags if tag == "th"]
    assert set(heads) == {"col", "row"}
    tables = [tag for tag, _ in page.tags if tag == "table"]
    captions = [tag for tag, _ in page.tags if tag == "caption"]
    assert len(tables) == len(captions)
    regions = [given for _, given in page.tags if given.get("role") == "region"]
    assert len(regions) == len(tables)
    assert all(given.get("tabindex") == "0" and given.get("aria-label") for given in regions)


def test_headings_leave_no_level_out(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))


def test_what_strangers_wrote_stays_text() -> None:
    report = full()
    swapped = {ASSISTANTS[0]: HOSTILE}
    report = replace(
        report,
        title=HOSTILE,
        command=HOSTILE,
        notes=[HOSTILE, "javascript:alert(1) https://example.org/a\"onclick='x'"],
        assistants=[swapped.get(name, name) for name in report.assistants],
        figures=[
            replace(each, assistant=swapped.get(each.assistant, each.assistant), caption=HOSTILE)
            for each in report.figures
        ],
        respondents=[
            replace(each, assistant=swapped.get(each.assistant, each.assistant), system=HOSTILE)
            for each in report.respondents
        ],
        maps=[Map(HOSTILE, report.maps[0].axes, [MapPoint(HOSTILE, 0, 0), MapPoint(HOSTILE, 1, 1, kind="people")])],
        leaderboard=[LeaderboardRow(HOSTILE, "published", 50.0, (50.0,) * 6, HOSTILE, HOSTILE)],
    )
    text = render(report)
    assert "<script" not in text and "\u202e" not in text and "\x1b" not in text and "\x00" not in text
    page = Page(text)
    assert "alert(1)</script>" in page.text
    assert {
        given["href"] for tag, given in page.tags if tag == "a" and "javascript" in (given.get("href") or "")
    } == set()
    assert all(plot.tag.endswith("svg") for plot, _ in plots(text))
    assert len(page.ids) == len(set(page.ids))
    Page(card_page(report, HOSTILE))


def test_a_report_without_anything_is_a_page() -> None:
    page = Page(render(Report("Nothing yet", "2026-11-24", ())))
    assert "Nothing yet" in page.text
    assert not {"svg", "table", "section", "nav"} & {tag for tag, _ in page.tags}


@pytest.mark.parametrize(
    "left", ["sensitivity", "maps", "leaderboard", "confusions", "clusters", "instruments", "notes"]
)
def test_each_part_may_be_missing(left: str) -> None:
    text = render(replace(full(), **{left: ()}))
    assert Page(text).ids
    assert plots(text)


def test_its_size_is_that_of_a_picture(text: str) -> None:
    assert len(text.encode()) < 400_000


def test_figures_of_no_value_and_odd_numbers_are_drawn() -> None:
    odd = [0.0, -0.0, 1.0, float("nan"), 1e-9, 250.0, -3.5]
    figures = [Figure(f"a{i}", "odd", f"m{i}", value, None, None, i) for i, value in enumerate(odd)]
    report = Report("Odd", "2026-11-24", [each.assistant for each in figures], figures=figures)
    text = render(report)
    assert "nan" not in Page(text).text.lower()
    for plot, _ in plots(text):
        for each in plot.iter():
            assert not any(
                "nan" in (given or "") for name, given in each.attrib.items() if name in {"x", "cx", "x1", "x2"}
            )


def test_a_blind_instrument_says_so_and_shows_no_number(text: str) -> None:
    card = card_page(full(), ASSISTANTS[1])
    assert FAILED[0].lower() + FAILED[1:] in card and "Persona statements" in card
    persona = [each for each in full().figures if each.instrument == "persona" and each.assistant == ASSISTANTS[1]]
    rows = re.findall(r"<tr><th[^>]*>Persona statements: agreement.*?</tr>", card)
    assert rows and not any(f"{persona[0].value:.2f}" in row for row in rows)
    before, after = card.index("Sensitivity check of each instrument"), card.index("<svg")
    assert before < after, "what can be seen comes first"


def test_an_instrument_is_blind_only_where_it_was_found_so() -> None:
    report = full()
    other = [replace(each, base="another") if each.assistant == ASSISTANTS[0] else each for each in report.respondents]
    shown = Page(render(replace(report, respondents=other))).text
    persona = next(each for each in report.figures if each.instrument == "persona")
    assert f"{persona.value:.2f}" in shown
    seeing = [SensitivityRow("persona", BASE, 0.9, 0.8, 0.95, True)]
    assert FAILED not in render(replace(report, sensitivity=seeing))


def test_the_palette_can_be_read() -> None:
    """WCAG contrast of text on its ground, light and dark."""
    for block in re.findall(r"--paper.*?--focus: #\w{6}", STYLE, re.DOTALL):
        colours = dict(re.findall(r"--([\w-]+): (#\w{6})\b", block))
        for ground in ("paper", "raised"):
            for ink in ("ink", "soft", "accent", "other"):
                assert contrast(colours[ground], colours[ink]) >= 4.5, (ground, ink)
        assert contrast(colours["paper"], colours["line"]) >= 3


def contrast(one: str, other: str) -> float:
    def light(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


def test_dark_is_for_screens_and_paper_opens_what_is_folded() -> None:
    assert "@media screen and (prefers-color-scheme: dark)" in STYLE
    assert "details::details-content" in STYLE[STYLE.index("@media print") :]
