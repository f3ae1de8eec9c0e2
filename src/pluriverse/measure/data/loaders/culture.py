"""Questions about everyday life, in the language of the place and in English: BLEnD (Myung et al., arXiv 2406.09948).

Knows the shape of its files and how it leaves questions out; not how answers are matched (`metrics.culture`).
"""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ....errors import UnreachableError
from ....settings import Settings
from ...schema.items import Item
from ..datasets import text_of
from .ordering import balanced

if TYPE_CHECKING:
    from ...schema.instrument import Instrument

_TOKENS = 24  # people answered in a few words
_ENGLISH = "Answer in a few words, without any explanation."

# The language people of a region answered in, and the same request in it. Wordings are our own, after BLEnD's inst-4.
_REGIONS = {
    "Algeria": ("ar", "أجب ببضع كلمات فقط، من دون أي شرح."),
    "Assam": ("as", "মাত্ৰ কেইটামান শব্দত উত্তৰ দিয়ক, কোনো ব্যাখ্যা নকৰিব।"),
    "Azerbaijan": ("az", "Yalnız bir neçə sözlə, izahat vermədən cavab verin."),
    "China": ("zh", "请只用几个词回答，不要作任何解释。"),
    "Ethiopia": ("am", "ያለ ምንም ማብራሪያ በጥቂት ቃላት ብቻ ይመልሱ።"),
    "Greece": ("el", "Απάντησε με λίγες λέξεις, χωρίς καμία εξήγηση."),
    "Indonesia": ("id", "Jawablah hanya dengan beberapa kata, tanpa penjelasan."),
    "Iran": ("fa", "فقط با چند کلمه و بدون هیچ توضیحی پاسخ دهید."),
    "Mexico": ("es", "Responde con pocas palabras, sin ninguna explicación."),
    "North_Korea": ("ko", "설명 없이 몇 단어로만 대답하십시오."),
    "Northern_Nigeria": ("ha", "Ka amsa da kalmomi kaɗan kawai, ba tare da wani bayani ba."),
    "South_Korea": ("ko", "설명 없이 몇 단어로만 답해 주세요."),
    "Spain": ("es", "Responde con pocas palabras, sin ninguna explicación."),
    "UK": ("en", _ENGLISH),
    "US": ("en", _ENGLISH),
    "West_Java": ("su", "Jawab ku sababaraha kecap wungkul, teu kedah dijelaskeun."),
}


async def load_blend(instrument: "Instrument", settings: Settings) -> list[Item]:
    """All questions that enough people of their region could answer; both languages of a question stand together.

    Regions whose file is not to be had are left out, so that one missing file does not cost the others; figures say how
    many there were. UnreachableError where there is none at all.
    """
    questions: dict[str, list[list[Item]]] = {}
    away: UnreachableError | None = None
    for name in instrument.datasets:
        region = name.rpartition("/")[2]
        try:
            document = json.loads(await text_of(name, settings))
        except UnreachableError as error:
            away = error
            continue
        questions[region] = [list(_asked(region, key, row)) for key, row in document.items() if _answerable(row)]
    if away is not None and not questions:
        raise away
    return [item for variants in balanced(questions) for item in variants]


def _answerable(row: Mapping[str, Any]) -> bool:
    """As BLEnD's own evaluation leaves questions out: too many did not know, or found that it does not apply."""
    unsure = row["idks"]
    without = unsure.get("no-answer", 0) + unsure.get("not-applicable", 0)
    return bool(row["annotations"]) and without < 3 and unsure.get("idk", 0) < 5


def _asked(region: str, key: str, row: Mapping[str, Any]) -> Iterator[Item]:
    language, request = _REGIONS[region]
    answers = [[each["count"], each["answers"], each["en_answers"]] for each in row["annotations"]]
    texts = {language: f"{row['question'].strip()}\n{request}"}
    if language != "en":
        texts["en"] = f"{row['en_question'].strip()}\n{_ENGLISH}"
    for spoken, prompt in texts.items():
        yield Item(
            id=f"{region}/{key}",
            prompt=prompt,
            form="chat",
            wording="short",
            language=spoken,
            max_tokens=_TOKENS,
            metadata={"country": region.replace("_", " "), "local": language, "group": region, "answers": answers},
        )
