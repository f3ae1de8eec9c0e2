"""Decisions: a state and questions, a probability for every option."""

import pytest
from fastapi.testclient import TestClient

QUESTIONS = {
    "bug": {"type": "noul", "instructions": "Is this a report of a fault?"},
    "team": {"type": "choice", "instructions": "Which team?", "criteria": {"billing": "Payments", "web": None}},
    "mood": {"type": "score", "instructions": "How angry?", "criteria": ["calm", "annoyed", "furious"]},
}


def test_every_option_has_a_probability(client: TestClient) -> None:
    told = client.post(
        "/v1/systemone", json={"model": "duty", "state": "The page is blank.", "questions": QUESTIONS}
    ).json()
    answers = told["answers"]
    assert 0 < answers["bug"]["noul"] < 1
    assert sum(answers["team"]["probabilities"].values()) == pytest.approx(1)
    best = max(answers["team"]["probabilities"], key=answers["team"]["probabilities"].get)
    assert answers["team"]["choice"] == best and 0 <= answers["team"]["confidence"] <= 1
    levels = answers["mood"]["probabilities"]
    assert answers["mood"]["score"] == pytest.approx(sum(int(level) * each for level, each in levels.items()))
    assert answers["mood"]["legend"] == {"0": "calm", "1": "annoyed", "2": "furious"}
    assert told["pluriverse"]["assistant"] == "duty" and told["usage"]["output_tokens"] == 0


def test_assistants_decide_as_they_speak(client: TestClient) -> None:
    asked = {"state": "The page is blank.", "questions": {"bug": QUESTIONS["bug"]}}
    found = [
        client.post("/v1/systemone", json={**asked, "model": each}).json() for each in ("duty", "outcomes", "duty")
    ]
    first, other, again = (each["answers"]["bug"]["noul"] for each in found)
    assert first == again != other


@pytest.mark.parametrize(
    "change",
    [
        {"state": " "}, {"questions": {}}, {"questions": {"a": {"type": "essay", "instructions": "x"}}},
        {"questions": {"a": {"type": "choice", "instructions": "x", "criteria": {"one": None}}}}, {"images": []},
    ],
)  # fmt: skip
def test_what_cannot_be_decided_is_told(client: TestClient, change: dict) -> None:
    asked = {"model": "duty", "state": "a", "questions": {"bug": QUESTIONS["bug"]}, **change}
    assert client.post("/v1/systemone", json=asked).status_code == 400
