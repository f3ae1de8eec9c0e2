"""What a codebook's answers are: an opinion, not knowing, or a mark for the clerk; and whether they are a scale.

By words, after the 1,055 different answers of the subset of GlobalOpinionQA. Knows texts only.
"""

import re
from collections.abc import Sequence

_BOOKKEEPING = re.compile(r"missing|^inap\b|not available|^total\b|\bn=|not asked", re.IGNORECASE)
_UNSURE = re.compile(
    r"^(?:dk|don[´’']?t (?:know|-9)|do not know|no answer|refused|not sure|unsure|hard to say|can[’']?t (?:say|rate)|"
    r"no opinion|never heard|haven[’']?t heard enough|undecided|i do not know)\b",
    re.IGNORECASE,
)
# Said by people without being offered, beside any scale.
_VOLUNTEERED = re.compile(
    r"\(vol\.?\)|\(do not read\)|\(spontaneous\)|^(?:other|both|neither(?! agree| good))\b", re.IGNORECASE
)
# How scales of words begin and end. Three grades such as "better, worse, no change" are none as they stand.
_FIRST = re.compile(
    r"very|completely|strongly|agree strongly|a lot|a? ?great d|definitely|trust completely|often|most\b|none of them|"
    r"the best|much better|top priority|excellent|to a large|one of the most|have done|it needs to be completely|"
    r"improve a lot|rather bad|more than once a week|several times a day|extremely",
    re.IGNORECASE,
)
_LAST = re.compile(
    r"very|completely|strongly|disagree strongly|not? |none|never|would never|have not done and|there are not|"
    r"definitely|few|all of them|the worst|much worse|do not trust|poor|should not|it doesn|worsen a lot|rarely",
    re.IGNORECASE,
)
_FIRST_OF_THREE = re.compile(r"major|very|a lot|have done$|don't belong|not a member", re.IGNORECASE)
_LAST_OF_THREE = re.compile(r"not? |not$|would never|nothing|active member", re.IGNORECASE)


def is_bookkeeping(option: str) -> bool:
    """A code of the codebook that nobody answers with."""
    return bool(_BOOKKEEPING.search(option))


def is_unsure(option: str) -> bool:
    """Not an opinion: does not know, or will not say."""
    return bool(_UNSURE.search(option.strip()))


def is_ordered(offered: Sequence[str], unsure: Sequence[int]) -> bool:
    """Whether the opinions offered, in their order, are a scale of three or more grades, in words or in numbers.

    Answers volunteered beside the scale ("both", "neither") make it none; where words do not tell, it is none.
    """
    opinions = [option.strip() for place, option in enumerate(offered) if place not in set(unsure)]
    if any(_VOLUNTEERED.search(option) for option in opinions):
        return False
    numbers = [int(option) for option in opinions if option.isdigit()]
    if len(numbers) >= 7:
        return len(opinions) - len(numbers) <= 2 and numbers in (sorted(numbers), sorted(numbers, reverse=True))
    if len(opinions) == 3:
        return bool(_FIRST_OF_THREE.match(opinions[0]) and _LAST_OF_THREE.match(opinions[2]))
    ends = _FIRST.match(opinions[0]) and _LAST.match(opinions[-1]) if 4 <= len(opinions) <= 8 else None
    return bool(ends) and not _mixed(opinions)


def _mixed(opinions: Sequence[str]) -> bool:
    """Whether two scales were merged into one list of answers, or long sentences stand in it."""
    many = len(opinions) > 6 and not opinions[-1].lower().startswith("never")
    return many or max(map(len, opinions)) > 60
