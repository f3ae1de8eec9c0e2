"""The store's pull events in words and a bar on stderr. Used wherever something may be fetched."""

from typing import TYPE_CHECKING

from .text import size

if TYPE_CHECKING:
    from ...assistant.bases import Base
    from ...settings import Settings
    from ...store import PullEvent
    from .output import Output


def show_pull(out: "Output", event: "PullEvent", name: str) -> None:
    """Show one event of fetching `name`."""
    from ...store import Progress, Pulled, SourceFailed, StartedOver, Trying, Whole

    match event:
        case Trying(source):
            out.progress.status(f"fetching {name} from {source} ...")
        case Progress(done=done, total=total):
            out.progress.bar(f"fetching {name}", done, total)
        case SourceFailed(source, error):
            told = error.message
            out.warn(told if told.startswith(str(source)) else f"{source}: {told}")
        case StartedOver(why=why):
            out.note(f"{why}: beginning anew")
        case Whole():
            out.progress.status(f"checking that {name} can be loaded ...")
        case Pulled():
            words = "was here already" if event.already_here else f"from {event.source}"
            out.note(f"{event.name}: {size(event.bytes)}, {words}")


def base_here(ref: str, out: "Output", settings: "Settings") -> "Base":
    """The base that `ref` stands for, fetched where it is missing. Raises what resolving and fetching raise."""
    import asyncio

    from ...runtime.events import Fetching
    from ...runtime.ready import fetched
    from ...store import Store

    async def here() -> "Base":
        async for step in fetched(ref, Store.at(settings), settings):
            if not isinstance(step, Fetching):
                return step
            show_pull(out, step.event, step.base)
        raise AssertionError("it ends with a base or an error")

    return asyncio.run(here())
