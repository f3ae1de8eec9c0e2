"""Make the scales of pluriverse's package anew from the public persona statements (see measure.classify.vocabulary).

python benchmarks/scales.py            # writes src/pluriverse/measure/classify/vocabularies/*.json
"""

import asyncio
import json
from pathlib import Path

from pluriverse import settings
from pluriverse.measure.classify.vocabulary import AXES, made
from pluriverse.measure.data.datasets import known, persona_statements

FOLDER = Path(__file__).parents[1] / "src/pluriverse/measure/classify/vocabularies"


async def main() -> None:
    loaded = settings.load()
    for name, sides in AXES.items():
        a, b = [await persona_statements(each, loaded) for each in sides]
        document = made(name, a, b, known()[sides[0]].source, known()[sides[0]].licence)
        # A line for each term, so that a change can be read.
        terms = ",\n".join(f"{json.dumps(term)}: {json.dumps(each)}" for term, each in document.pop("terms").items())
        head = json.dumps(document)[:-1]
        (FOLDER / f"{name}.json").write_text(f'{head},\n"terms": {{\n{terms}\n}}}}\n', "utf-8")
        print(f"{name}: {len(a)} and {len(b)} statements, {document['held']:.1%} of held-out ones on their side")


if __name__ == "__main__":
    asyncio.run(main())
