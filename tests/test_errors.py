"""Errors that cross the border of a process."""

from pluriverse.assistant.bases import NotPulled
from pluriverse.errors import IntegrityError, NotFoundError, PluriverseError, from_dict
from pluriverse.store.sources import WrongPiece
from pluriverse.values import Pullable


def test_an_error_comes_back_as_its_kind_and_not_as_a_special_case_of_it() -> None:
    special = (NotPulled(Pullable("m", "m", ())), WrongPiece("wrong", 3))
    for error, kind in zip(special, (NotFoundError, IntegrityError), strict=True):
        again = from_dict(error.as_dict())
        assert type(again) is kind and (again.message, again.hint) == (error.message, error.hint)
    assert type(from_dict({"kind": "of tomorrow"})) is PluriverseError
