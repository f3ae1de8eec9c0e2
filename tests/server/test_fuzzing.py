"""A thousand requests that a fuzzer makes of the OpenAPI document: no 500, no hang; and no reply left behind."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

schemathesis = pytest.importorskip("schemathesis")

from pluriverse.server.app import build  # noqa: E402
from pluriverse.server.house import House, Limits  # noqa: E402
from pluriverse.settings import Settings  # noqa: E402

from .conftest import ADDRESS  # noqa: E402

pytestmark = pytest.mark.slow
EXAMPLES = int(os.environ.get("EXAMPLES", "60"))  # of each address

home = Path(tempfile.mkdtemp())
house = House(Settings(home=home, base="scripted", offline=True), limits=Limits(burst=10**9, requests_per_s=10**9))
schema = schemathesis.openapi.from_dict(build(house, ADDRESS).openapi())
schema.app = build(house, ADDRESS)


@schema.parametrize()
@settings(
    max_examples=EXAMPLES, deadline=None, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
def test_nothing_that_is_sent_breaks_it(case) -> None:  # type: ignore[no-untyped-def]
    headers = {"authorization": f"Bearer {house.readers['owner'].token}", "host": "127.0.0.1:7070"}
    answer = case.call(base_url=ADDRESS.url, headers=headers)
    assert answer.status_code < 500 or answer.status_code == 507, answer.text
    assert house.busy == 0
