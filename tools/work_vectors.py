"""Makes the vectors that come with the library: of the works of the panel `works`, and of the README's examples.

    python tools/work_vectors.py

What is there and right stays; what is begun is gone on with. Each lies in src/pluriverse/works/library/vectors, called
after the first twelve digits of its text's digest, where `works/index/vectors.py` looks for it. Needs the texts.
"""

import asyncio
from pathlib import Path

from pluriverse.assistant import Shelf
from pluriverse.engines.pool import EnginePool
from pluriverse.runtime.meaning import Meaning, ready_meaning
from pluriverse.settings import load
from pluriverse.store import Store
from pluriverse.works.index.keeping import index_words
from pluriverse.works.index.meaning import opened
from pluriverse.works.index.vectors import embed_works, made_of, part_of

EXAMPLES = ("kant", "mill")
TARGET = Path(__file__).parent.parent / "src" / "pluriverse" / "works" / "library" / "vectors"


async def main() -> None:
    settings = load()
    store, shelf = Store.at(settings), Shelf(settings)
    names = (*shelf.panel("works").members, *EXAMPLES)
    works = list({work for name in names for work in shelf.assistant(name).works})
    works.sort(key=lambda work: work.id)
    async with EnginePool(settings) as pool:
        async for step in ready_meaning([work.language for work in works], store, pool, settings):
            if isinstance(step, Meaning):
                async for embedding in embed_works(store, settings, works, step):
                    print(f"{embedding.work.id}: {embedding.done} of {embedding.total}", flush=True)
                model = step.model
    TARGET.mkdir(parents=True, exist_ok=True)
    known = store.works({work.digest for work in works})
    for each in index_words(store, settings, works):
        path = known[each.work.digest].path(part_of(model))
        if path is None:
            print(f"{each.work.id}: came with the library already")
            continue
        data = path.read_bytes()
        opened(data, made_of(each.work, each.index, model))
        (TARGET / f"{each.work.digest.short}.bin").write_bytes(data)
        print(f"{each.work.id}: {len(data):,} bytes")


if __name__ == "__main__":
    asyncio.run(main())
