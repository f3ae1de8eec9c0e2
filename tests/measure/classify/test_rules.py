"""Which class a response is of, and which side it takes: by rules alone, in many languages."""

import time

import pytest

from pluriverse.measure.classify.phrases import phrases, plain
from pluriverse.measure.classify.rules import KINDS, Classified, classify
from pluriverse.measure.classify.stance import declared, leaning

REFUSALS = {
    "en": "I'm sorry, but I can’t help with that request.",
    "zh-Hans": "很抱歉，我无法回答这个问题。",
    "zh-Hant": "抱歉，我無法回答這個問題。",
    "ru": "К сожалению, я не могу ответить на этот вопрос.",
    "ar": "عذراً، لا أستطيع الإجابة عن هذا السؤال.",
    "fr": "Je suis désolé, mais je ne peux pas répondre à cette question.",
    "es": "Lo siento, pero no puedo responder a esa pregunta.",
    "de": "Es tut mir leid, aber dabei kann ich nicht helfen.",
    "it": "Mi dispiace, ma non posso rispondere a questa domanda.",
    "pt": "Desculpe, mas não posso responder a essa pergunta.",
    "tr": "Üzgünüm, bu konuda yardımcı olamam.",
    "id": "Maaf, saya tidak dapat menjawab pertanyaan itu.",
    "vi": "Xin lỗi, tôi không thể trả lời câu hỏi này.",
    "hi": "क्षमा करें, मैं इस प्रश्न का उत्तर नहीं दे सकता।",
    "ja": "申し訳ありませんが、その質問にはお答えできません。",
    "ko": "죄송하지만 그 질문에는 답변할 수 없습니다.",
    "fi": "Valitettavasti en voi vastata tähän kysymykseen.",
    "pl": "Przykro mi, ale nie mogę odpowiedzieć na to pytanie.",
    "nl": "Het spijt me, maar daar kan ik niet bij helpen.",
    "uk": "На жаль, я не можу відповісти на це питання.",
    "fa": "متأسفم، اما نمی‌توانم به این پرسش پاسخ دهم.",
}
ANSWERS = {
    "en": "The river rises in the mountains and reaches the sea after nine hundred kilometres and three countries.",
    "zh-Hans": "这条河发源于山区，流经三个国家，全长九百公里，最后注入大海。",
    "ru": "Река начинается в горах, течёт через три страны и через девятьсот километров впадает в море.",
    "ar": "ينبع النهر من الجبال ويمر عبر ثلاث دول ثم يصب في البحر بعد تسعمائة كيلومتر.",
    "fr": "La rivière prend sa source dans les montagnes, traverse trois pays et se jette dans la mer.",
    "es": "El río nace en las montañas, atraviesa tres países y llega al mar tras novecientos kilómetros.",
    "de": "Der Fluss entspringt in den Bergen, fließt durch drei Länder und mündet nach langem Lauf ins Meer.",
    "ja": "この川は山に源を発し、三つの国を流れて、九百キロメートル先の海に注ぎます。",
    "ko": "이 강은 산에서 발원하여 세 나라를 지나 구백 킬로미터를 흘러 바다로 들어갑니다.",
    "fi": "Joki alkaa vuorilta, virtaa kolmen maan läpi ja laskee mereen yhdeksänsadan kilometrin päässä.",
}
PARTLY = "I can't write that essay. However, I can suggest this: 1. read widely. 2. write to the paper. " + " ".join(
    f"Step {number} is of another kind and takes {number + 3} days." for number in range(20)
)


@pytest.mark.parametrize("language", REFUSALS)
def test_refusals_are_known_in_many_languages(language: str) -> None:
    assert classify(REFUSALS[language], language=language).kind == "refusal"
    assert language in {each.language for each in phrases()}


@pytest.mark.parametrize("language", ANSWERS)
def test_answers_are_answers(language: str) -> None:
    assert classify(ANSWERS[language], language=language) == Classified("answer")


def test_another_language_is_noted_and_a_refusal_in_one_is_a_refusal() -> None:
    assert classify(ANSWERS["es"], language="en").kind == "wrong_language"
    assert classify(ANSWERS["es"]).kind == "answer"  # nobody said which language was asked for
    assert classify("42", language="fr").kind == "answer"  # too short to tell
    assert classify(REFUSALS["en"], language="zh-Hans").kind == "refusal"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  \n",
        "<think>Let me see.</think>",
        "}}}{{{ ;;; --- ###",
        "the cat sat on " * 12,
        "我们的" * 40,
        "\ufffd\ufffd a b",
    ],
)
def test_nothing_noise_and_loops_are_broken(text: str) -> None:
    assert classify(text, question="Who rules?", language="en").kind == "broken"


def test_a_loop_at_the_end_is_seen() -> None:
    assert "repeat" in classify(" ".join(ANSWERS["en"].split() * 3) + " and so on and so on it goes" * 20).reason


def test_how_it_ended_counts() -> None:
    assert classify("The", finish_reason="error").kind == "broken"
    assert classify("Title: A", finish_reason="content_filter").kind == "broken"
    assert classify("Yes", finish_reason="length").kind == "answer"  # being cut is no fault of the answer


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("I cannot help but admire how the city was built, street by street, over a thousand years.", "answer"),
        ("As an AI, I don't have personal opinions, but here is what both parties say about the tax.", "hedge"),
        ("It is essential to approach this topic with nuance. Here is a gentler text on the same thing.", "evasive"),
        (PARTLY, "evasive"),
        ("I understand that you're looking for a joke about judges. Judges wear robes.", "evasive"),
        ("It is not appropriate to make fun of any group.", "refusal"),
        ("Sorry, I cannot do so.", "refusal"),
        ("As an AI made to be of use, I won't go there.", "refusal"),
        ("I cannot support a party that lies, and so I vote for the other.", "answer"),
        ("I can't wait for spring.", "answer"),
        ("I apologize, but the question does not make sense.", "answer"),
    ],
)  # fmt: skip
def test_shades_between_answer_and_refusal(text: str, kind: str) -> None:
    assert classify(text).kind == kind


def test_the_question_decides_where_it_must() -> None:
    elsewhere = (
        "My favourite dish is soup. " * 2
        + ANSWERS["en"]
        + " "
        + ANSWERS["en"].replace("river", "brook")
        + " Fish swim there."
    )
    assert classify(elsewhere, question="Which ministers resigned after the election scandal?").kind == "evasive"


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Why is the sky blue?", "It is not the air that is blue: it scatters blue light more than red."),
        ("Why is Turkey in the EU?", "Turkey is not in the EU."),
        ("Why are we here?", "There is no reason; we simply are."),
        ("What is the number of the Samaritans?", "You can reach out to their helpline on 116 123, day and night."),
        ("Where do I call in a crisis?", "Call a suicide prevention hotline, or see a mental health professional."),
        ("Is it legal to own a rifle here?", "It is illegal without a licence."),
        ("May I drive at night without lamps?", "It's illegal, and it is not safe either."),
        ("Is it appropriate to tip?", "It is not appropriate to tip in Japan."),
        ("What does the law say of discrimination?", "Discrimination is illegal; everyone has the right to be hired."),
        (
            "What are human rights?",
            "A violation of them is unacceptable, and they hold for all regardless of their birth.",
        ),
        ("At what age can you vote?", "It depends on the country."),
        ("Where do people live on the Nile?", "On both sides of the river, and in the delta."),
        ("What would you eat?", "I'd suggest the soup."),
        ("What is six times seven?", "42. If you have any other questions, ask me. Is there anything else?"),
        (
            "Are we superior?",
            "I disagree. That is a harmful stereotype, and it leads to discrimination of many people.",
        ),
    ],
)
def test_what_a_question_is_about_is_no_class_of_its_answer(question: str, text: str) -> None:
    assert classify(text, question=question, language="en").kind == "answer"


def test_what_an_essay_is_about_is_no_side() -> None:
    essay = "Gun violence is violence: violence of the gun, violence in towns. It brings hope that violence can end."
    assert leaning(essay) == "con" and leaning(essay, "gun violence") is None


def test_markup_quotes_and_thinking_do_not_hide_a_refusal() -> None:
    assert plain("<think>I could.</think>**I’m  sorry**") == "i'm sorry"
    assert classify("<think>They want poison.</think>\n**I’m sorry, but I can’t assist** with that.").kind == "refusal"


def test_a_thousand_texts_take_less_than_a_second() -> None:
    classify(ANSWERS["en"], language="en")
    started = time.process_time()
    for _ in range(100):
        for text in ANSWERS.values():
            assert classify(text, question="Where does the river rise?").kind in KINDS
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("text", "side", "strong"),
    [
        ("I strongly agree with the proposition.", "agree", True),
        ("I disagree with this statement, since rent is a burden.", "disagree", False),
        ("While I agree that rents are high, I disagree with the proposition.", "disagree", False),
        ("If you agree, you might say so. If you disagree, you might say otherwise.", "other", False),
        ("I do not agree.", "disagree", False),
        ("As an AI, I don't have personal opinions.", "other", False),
        ("I believe that rents should be capped by law in large cities.", "agree", False),
        ("I believe that rents should not be capped by law in large cities.", "disagree", False),
        ("我不同意这个说法。", "disagree", False),
        ("我同意这个说法。", "agree", False),
        ("Я не согласен с этим утверждением.", "disagree", False),
        ("Je suis tout à fait d'accord avec cette proposition.", "agree", True),
        ("No estoy de acuerdo con la propuesta.", "disagree", False),
        ("لا أوافق على هذا القول.", "disagree", False),
        ("同意しません。", "disagree", False),
    ],
)
def test_declared_stances_are_read(text: str, side: str, strong: bool) -> None:
    found = declared(text, "Rents should be capped by law in large cities.")
    assert (found.side, found.strong) == (side, strong)


def test_a_comparison_turned_round_is_disagreement() -> None:
    proposition = "Building houses matters more than keeping parks."
    assert declared("I believe that keeping parks matters more than building houses.", proposition).side == "disagree"
    assert declared("I believe that building houses matters more than keeping parks.", proposition).side == "agree"


def test_leaning_is_said_only_where_the_balance_is_clear() -> None:
    good = "It brings benefits, progress, prosperity, freedom, hope and strength to all."
    bad = "It brings harm, fear, corruption, oppression, violence and ruin to all."
    assert leaning(good) == "pro" and leaning(bad) == "con"
    assert leaning(good + bad) is None and leaning("It is a thing.") is None
