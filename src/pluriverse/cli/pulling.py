"""The store's pull events in words and a bar on stderr. Used wherever something may be fetched."""

from typing import TYPE_CHECKING

from .text import size

if TYPE_CHECKING:
    from ..store import PullEvent
    from .output import Output


def show_pull(out: "Output", event: "PullEvent", name: str) -> None:
    """Show one event of fetching `name`."""
    from ..store import Progress, Pulled, SourceFailed, Trying

    match event:
        case Trying(source):
            out.progress.status(f"fetching {name} from {source} ...")
        case Progress(done=done, total=total):
            out.progress.bar(f"fetching {name}", done, total)
        case SourceFailed(source, error):
            out.warn(f"{source}: {error.message if hasattr(error, 'message') else error}")
        case Pulled():
            words = "was here already" if event.already_here else f"from {event.source}"
            out.note(f"{event.name}: {size(event.bytes)}, {words}")
