"""Published scores are as their archive has them, and their averages are computed, not copied."""

import pytest

from pluriverse import settings as settings_module
from pluriverse.measure.data.published import TASKS, about, elsewhere, published

DATA = settings_module.load().data  # before each test gets an environment of its own
NEIGHBOURS = {
    "Smaug-72B-v0.1": (80.48, 76.02, 89.27, 77.15, 76.67, 85.08, 78.70),
    "MoMo-72B-lora-1.8.7-DPO": (78.55, 70.82, 85.96, 77.13, 74.71, 84.06, 78.62),
    "Smaug-34B-v0.1": (77.29, 74.23, 86.76, 76.66, 70.22, 83.66, 72.18),
    "Qwen-72B": (73.60, 65.19, 85.94, 77.37, 60.19, 82.48, 70.43),
    "Qwen1.5-72B": (72.91, 65.87, 85.99, 77.20, 59.61, 83.03, 65.73),
    "Mixtral-8x7B-Instruct-v0.1": (72.62, 70.22, 87.63, 71.16, 64.58, 81.37, 60.73),
    "deepseek-llm-67b-chat": (71.79, 67.75, 86.82, 72.42, 55.85, 84.21, 63.68),
    "Yi-34B": (69.42, 64.59, 85.69, 76.35, 56.23, 83.03, 50.64),
    "Mixtral-8x7B-v0.1": (68.42, 66.04, 86.49, 71.82, 46.78, 81.93, 57.47),
    "Llama-2-70b-hf": (67.87, 67.32, 87.33, 69.83, 44.92, 83.74, 54.06),
    "Qwen1.5-72B-Chat": (65.98, 68.26, 86.47, 77.46, 63.84, 78.93, 20.92),
    "Yi-34B-Chat": (65.32, 65.44, 84.16, 74.90, 55.37, 80.11, 31.92),
    "Llama-2-70b-chat-hf": (62.40, 64.59, 85.88, 63.91, 52.80, 80.51, 26.69),
    "Mistral-7B-v0.1": (60.97, 59.98, 83.31, 64.16, 42.15, 78.37, 37.83),
}
BY_NAME = {each.name: each for each in published()}


def test_every_average_is_the_mean_of_its_six_and_agrees_with_the_printed_one() -> None:
    for each in published():
        assert tuple(each.scores) == TASKS and all(0 < score < 100 for score in each.scores.values())
        assert each.average == pytest.approx(sum(each.scores.values()) / 6)
        assert abs(each.average - each.printed_average) <= 0.01, each.name


@pytest.mark.parametrize("name", NEIGHBOURS)
def test_smaug_and_its_neighbours(name: str) -> None:
    average, *scores = NEIGHBOURS[name]
    assert round(BY_NAME[name].average, 2) == pytest.approx(average, abs=0.0101)
    assert list(BY_NAME[name].scores.values()) == scores


def test_every_figure_has_its_source() -> None:
    assert len({each.hub for each in published()}) == len(published()) == 35
    for each in published():
        assert each.source.startswith("https://github.com/fboulnois/llm-leaderboard-csv/blob/528598214f8f")
        assert len(each.revision) == 40 and each.precision in {"bfloat16", "float16"} and each.evaluated[:2] == "20"
        assert all(note.source.startswith("https://") and note.text for note in each.notes)
    assert all(each.source.startswith("https://") and each.measures for each in elsewhere())


def test_what_must_be_read_beside_a_row_is_there() -> None:
    for name in ("Smaug-72B-v0.1", "Smaug-34B-v0.1"):
        assert any("ARC and HellaSwag" in note.text and "abacusai/smaug" in note.source for note in BY_NAME[name].notes)
    assert any("GSM8K" in note.text and '":"' in note.text for note in BY_NAME["Qwen1.5-72B-Chat"].notes)


def test_models_that_were_never_on_the_board_stand_elsewhere() -> None:
    assert about().never_listed == ("Grok-1", "Claude 2.1", "GPT-3.5")
    assert not {"grok-1", "claude-2.1", "gpt-3.5-turbo-0613"} & {name.lower() for name in BY_NAME}
    alpaca = {each.name: each.measures for each in elsewhere() if each.board == "AlpacaEval 2"}
    expected = {"Qwen1.5-72B-Chat": (26.50, 36.57), "claude-2.1": (15.73, 25.25), "gpt-3.5-turbo-0613": (14.10, 22.35)}
    for name, figures in expected.items():
        assert tuple(alpaca[name].values()) == figures
    assert any(each.name == "Grok-1" for each in elsewhere())


def test_the_rows_are_those_of_the_public_catalogue_of_models() -> None:
    if DATA is None or not (DATA / "models.yaml").exists():
        pytest.skip("set PLURIVERSE_DATA to a folder of the public data")
    yaml = pytest.importorskip("yaml")
    keys = ("arc_challenge_25", "hellaswag_10", "mmlu_5", "truthfulqa_mc2_0", "winogrande_5", "gsm8k_5")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    models = yaml.load((DATA / "models.yaml").read_text("utf-8"), Loader=loader)
    given = {
        each["hub_id"]: each["scores"]["open_llm_leaderboard_v1"]
        for each in models
        if "open_llm_leaderboard_v1" in each.get("scores", {})
    }
    assert set(given) == {each.hub for each in published()}
    for each in published():
        board = given[each.hub]
        assert [board[key] for key in keys] == list(each.scores.values())
        assert (board["average"], board["precision"], board["revision"]) == (
            each.printed_average,
            each.precision,
            each.revision,
        )
