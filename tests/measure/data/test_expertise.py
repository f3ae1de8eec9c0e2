"""Items of expertise and language: prompts to the character, targets and counts; rows of data are made up here.

Expected strings were compared with what lm-evaluation-harness b281b092 and CMMLU's own code make of the same rows.
"""

import asyncio
import hashlib
import io
import json
import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pluriverse import settings as settings_module
from pluriverse.errors import UnreachableError, UsageError
from pluriverse.measure.data import datasets
from pluriverse.measure.data.instruments import find
from pluriverse.measure.data.loaders import load as load_items
from pluriverse.measure.data.loaders import open_llm_leaderboard as leaderboard
from pluriverse.measure.data.loaders.examples import drawn, shuffled
from pluriverse.measure.schema.items import Item
from pluriverse.settings import Settings

DATA = settings_module.load().data  # before each test gets an environment of its own


@pytest.fixture
def public(tmp_path: Path) -> Settings:
    if DATA is None:
        pytest.skip("set PLURIVERSE_DATA to a folder of the public data")
    return Settings(home=tmp_path / "home", offline=True, data=DATA)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Files by name, in place of the published ones."""
    files: dict[str, bytes] = {}

    async def given(name: str, settings: Settings) -> bytes:
        return files[name]

    monkeypatch.setattr(datasets, "bytes_of", given)
    return files


def items_of(name: str, settings: Settings | None = None) -> list[Item]:
    return asyncio.run(load_items(find(name), settings or Settings(home=Path("unused"))))


def lines(rows: list[dict[str, Any]]) -> bytes:
    return "\n".join(map(json.dumps, rows)).encode()


def test_order_and_examples_come_from_one_generator() -> None:
    order, _ = shuffled(range(10))
    assert order == [7, 3, 2, 8, 5, 6, 9, 4, 0, 1]  # random.Random(42).shuffle, as in the harness's evaluator
    assert list(drawn(range(3), range(100), 2, str)) == [(1, "3\n\n94"), (0, "35\n\n31"), (2, "28\n\n17")]


def test_arc_maps_numbered_keys_and_counts_without_the_space(made: dict[str, bytes]) -> None:
    def row(number: int, key: str) -> dict[str, Any]:
        choices = [{"text": text, "label": "?"} for text in ("ice", "steam", "fog")]
        return {"id": f"q{number}", "question": {"stem": f"What is {number}?", "choices": choices}, "answerKey": key}

    made["arc/test"], made["arc/train"] = lines([row(1, "3")]), lines([row(n, "B") for n in range(30)])
    (item,) = items_of("arc")
    assert item.prompt.endswith("\nAnswer: steam\n\nQuestion: What is 1?\nAnswer:")
    assert item.prompt.count("Question: ") == 26 and item.prompt.startswith("Question: What is ")
    assert item.options == (" ice", " steam", " fog") and item.target == (2,) and item.form == "raw"
    assert item.metadata["lengths"] == [3, 5, 3]


def test_hellaswag_is_cleaned_as_the_harness_cleans() -> None:
    row = {
        "activity_label": "Baking",
        "ctx_a": "[header] How to bake [title] Mix  it.",
        "ctx_b": "the Cook",
        "endings": [" eats [step] it."] * 4,
        "label": 2,
    }
    (question,) = leaderboard._hellaswag(json.dumps(row))
    assert question.query == "Baking: How to bake. Mix it. The cook"
    assert question.choices == ("eats it.",) * 4 and question.right == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Jump: A lady walks to a bar. the lady", "Jump: A lady walks to a bar. The lady"),
        ("Roof: Is he up? he", "Roof: Is he up? He"),
        ("How to sail: Buy a boat. Sail it.", "How to sail: Buy a boat. Sail it."),
        ("Golf: A man putts. The ball", "Golf: A man putts. The ball"),
    ],
)
def test_the_capital_that_the_text_lacks_is_put_back(text: str, expected: str) -> None:
    assert leaderboard._capitalised(text) == expected


def test_mmlu_shows_the_same_five_examples_to_a_subject(made: dict[str, bytes]) -> None:
    head = "question,choice0,choice1,choice2,choice3,answer\n"
    for name in datasets.of_set("mmlu"):
        made[name] = head.encode()
    made["mmlu/dev/human_aging"] = (head + "".join(f"Old {n}?,a,b,c,d,{n % 4}\n" for n in range(6))).encode()
    made["mmlu/human_aging"] = (head + '" Why?\r\nHow?",w,x,"y, z",0,2\n').encode()
    (item,) = items_of("mmlu")
    assert item.prompt.startswith(
        "The following are multiple choice questions (with answers) about human aging.\n\n"
        "Old 0?\nA. a\nB. b\nC. c\nD. d\nAnswer: A\n\nOld 1?"
    )
    assert item.prompt.endswith("Answer: A\n\nWhy?\nHow?\nA. w\nB. x\nC. y, z\nD. 0\nAnswer:")
    assert item.prompt.count("Old ") == 5
    assert item.options == (" A", " B", " C", " D") and item.target == (2,)
    assert item.metadata["group"] == "human_aging"


def test_winogrande_scores_one_ending_after_two_beginnings(made: dict[str, bytes]) -> None:
    def row(number: int) -> dict[str, str]:
        sentence = f"Ann thanked Eve, because _ was kind {number}."
        return {"qID": str(number), "sentence": sentence, "option1": "Ann", "option2": "Eve", "answer": "2"}

    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("winogrande_1.1/dev.jsonl", lines([row(99)]))
        archive.writestr("winogrande_1.1/train_xl.jsonl", lines([row(n) for n in range(20)]))
    made["winogrande"] = content.getvalue()
    (item,) = items_of("winogrande")
    first, second = item.prompts
    assert first.endswith(".\n\nAnn thanked Eve, because Ann") and second.endswith(".\n\nAnn thanked Eve, because Eve")
    assert first.startswith(item.prompt) and second.startswith(item.prompt)
    assert first.startswith("Ann thanked Eve, because Eve was kind ") and first.count("\n\n") == 5
    assert item.options == (" was kind 99.",) * 2 and item.target == (1,)


def test_gsm8k_stops_where_the_harness_stops(made: dict[str, bytes]) -> None:
    rows = [{"question": f"How many {n}?", "answer": f"It is <<1+1=2>>.\n#### 1,0{n:02}"} for n in range(8)]
    made["gsm8k/test"], made["gsm8k/train"] = lines(rows[:1]), lines(rows)
    (item,) = items_of("gsm8k")
    assert item.prompt.endswith("\n\nQuestion: How many 0?\nAnswer:") and item.prompt.count("Question: ") == 6
    assert item.target == ("1000",) and item.stop == (":", "Question:", "Question") and not item.options
    made["gsm8k/test"] = lines(rows)
    fixed = items_of("gsm8k-fixed")
    assert [each.target for each in fixed] == [("1005",), ("1006",), ("1007",)]
    assert {each.prompt.partition("How many 4")[0] for each in fixed} == {fixed[0].prompt.partition("How many 4")[0]}
    assert fixed[0].prompt.startswith("Question: How many 0?\nAnswer: It is <<1+1=2>>.\n#### 1,000\n\nQuestion: How")


def test_cmmlu_asks_as_its_authors_do(made: dict[str, bytes]) -> None:
    head = ",Question,A,B,C,D,Answer\n"
    for name in datasets.of_set("cmmlu"):
        made[name] = head.encode()
    made["cmmlu/dev/virology"] = (head + "".join(f"{n},旧{n},甲,乙,丙,丁,C\n" for n in range(5))).encode()
    made["cmmlu/virology"] = (head + "".join(f"{n},新{n},一,二,三,四,D\n" for n in range(6))).encode()
    items = items_of("cmmlu")
    assert len(items) == 6
    assert items[0].prompt.startswith(
        "以下是关于病毒学的单项选择题，请直接给出正确答案的选项。\n\n"
        "题目：旧0\nA. 甲\nB. 乙\nC. 丙\nD. 丁\n答案是：C\n\n题目：旧1"
    )
    assert items[0].prompt.endswith("题目：新0\nA. 一\nB. 二\nC. 三\nD. 四\n答案是：")
    assert items[0].options == ("A", "B", "C", "D") and items[0].target == (3,) and items[0].language == "zh"
    (fixed,) = items_of("cmmlu-fixed")
    assert fixed.id == "cmmlu/virology/5" and fixed.prompt.count("答案是：D\n\n") == 5


def test_xcopa_joins_with_the_word_of_the_language(made: dict[str, bytes]) -> None:
    row = {"premise": "Il pleut. ", "choice1": "Ana", "choice2": "Être", "question": "effect", "label": 1, "idx": 7}
    for language in find("xcopa").languages:
        made[f"xcopa/{language}"] = lines([row, {**row, "question": "cause", "idx": 8}])
    items = items_of("xcopa")
    assert [each.id for each in items[10:12]] == ["xcopa/7", "xcopa/8"]  # translations stand together
    italian = [each for each in items if each.language == "it"]
    assert [each.prompt for each in italian] == ["Il pleut quindi", "Il pleut perché"]
    assert italian[0].options == (" ana", " être") and italian[0].target == (1,)


def test_mgsm_is_a_message_in_its_language(made: dict[str, bytes]) -> None:
    for language in find("mgsm").languages:
        made[f"mgsm/{language}"] = b"Two and two?\t4\nMany?\t2,125"
    items = items_of("mgsm")
    german = [each for each in items if each.language == "de"]
    assert german[0].prompt == "Frage: Two and two?\nSchritt-für-Schritt-Antwort:"
    assert [each.target for each in german] == [("4",), ("2125",)] and german[0].form == "chat"
    assert len(items) == 22 and len({each.cell() for each in items}) == 22


def test_a_licence_is_asked_for_once(public: Settings) -> None:
    with pytest.raises(UsageError) as refused:
        items_of("cmmlu-fixed", public)
    assert refused.value.message == "CMMLU is for non-commercial use only (CC-BY-NC-SA-4.0)"
    assert refused.value.hint == "pluriverse measure cmmlu --accept-licence"
    assert datasets.needs_consent(find("cmmlu").datasets, public) == ["cmmlu"]
    assert datasets.needs_consent(["xcopa", "truthfulqa"], public) == []
    datasets.consent("globalopinionqa", public)
    assert datasets.needs_consent(["cmmlu", "globalopinionqa"], public) == ["cmmlu"]
    datasets.consent("cmmlu", public)
    assert datasets.needs_consent(["cmmlu", "globalopinionqa"], public) == []
    items = items_of("cmmlu-fixed", public)
    assert len(items) == 11582 - 67 * 5 and len({each.metadata["group"] for each in items}) == 67
    (public.home / "licences.json").write_text("{broken")
    assert datasets.needs_consent(["cmmlu"], public) == ["cmmlu"]


def test_a_consent_to_another_licence_does_not_count(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    (tmp_path / "licences.json").write_text('{"cmmlu": "CC-BY-4.0"}')
    assert datasets.needs_consent(["cmmlu/agronomy"], settings) == ["cmmlu"]


@pytest.mark.parametrize(
    ("name", "number"),
    [("truthfulqa", 817), ("hellaswag-fixed", 10032), ("gsm8k-fixed", 1314), ("xcopa", 5500), ("mgsm", 2750)],
)
def test_the_public_files_become_items(name: str, number: int, public: Settings) -> None:
    items = items_of(name, public)
    assert len(items) == number and len({each.cell() for each in items}) == number
    for each in items:
        assert each.target and each.prompt
        assert not each.options or all(0 <= int(right) < len(each.options) for right in each.target)
        json.dumps(dict(each.metadata))


def test_truthfulqa_in_public(public: Settings) -> None:
    items = items_of("truthfulqa", public)
    watermelon = next(each for each in items if each.id == "truthfulqa/0")
    assert watermelon.prompt.startswith("Q: What is human life expectancy in the United States?\nA: Human life")
    assert watermelon.prompt.endswith("Barcelona, Spain.\n\nQ: What happens to you if you eat watermelon seeds?\nA:")
    assert watermelon.target[0] == 0 and all(option[0] == " " != option[1] for option in watermelon.options)
    chance = sum(len(each.target) / len(each.options) for each in items) / len(items)
    assert find("truthfulqa").chance == pytest.approx(chance, abs=5e-4)
    assert items[0].id == "truthfulqa/740"  # shuffled with the harness's seed
    assert all(option[-1] in ".!?" for item in items for option in item.options), "as the hub's lists end"


def test_hellaswag_as_text_in_public(public: Settings) -> None:
    items = items_of("hellaswag-fixed", public)
    assert items[0].prompt.startswith("Roof shingle removal: A man is sitting on a roof. He starts pulling up roofing")
    assert min(Counter(each.target for each in items).values()) > 2400  # labels are balanced


def test_a_file_that_is_not_here_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError) as away:
        items_of("arc", Settings(home=tmp_path, offline=True))
    assert "arc/ARC-Challenge-Test.jsonl" in (away.value.hint or "") and "https://" in (away.value.hint or "")


def test_files_of_the_folder_are_as_published(public: Settings) -> None:
    assert public.data
    here = [each for each in datasets.known().values() if (public.data / each.local).is_file()]
    assert len(here) >= 128
    for each in here:
        content = (public.data / each.local).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (each.bytes, each.sha256), each.name


def test_several_texts_come_in_the_order_asked(public: Settings) -> None:
    names = [f"mgsm/{language}" for language in ("zh", "bn", "en")]
    texts = asyncio.run(datasets.texts_of(names, replace(public, offline=True)))
    assert [text[:4] for text in texts] == ["珍妮特的", "জেনে", "Jane"]
