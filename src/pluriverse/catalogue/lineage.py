"""Who was made from whom: parents and children over a whole catalogue.

A model is a node by its id, or, where the catalogue has no entry of it, by the name that its children give. Knows no
files and no drawing.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .entry import Entry


class Family:
    """The lineage of a catalogue. `up` and `down`: from a node to its parents and its children, each with the relation
    between them. Where a model names both a parent and what that was made from, only the parent is one."""

    def __init__(self, entries: "Iterable[Entry]") -> None:
        self.entries: Mapping[str, Entry] = {entry.id: entry for entry in entries}
        nodes = {entry.repository.casefold(): entry.id for entry in self.entries.values() if entry.repository}
        nodes |= {entry.id.casefold(): entry.id for entry in self.entries.values()}
        named = {
            entry.id: {nodes.get(each.parent.casefold(), each.parent): each.relation for each in entry.lineage}
            for entry in self.entries.values()
        }
        self.up: dict[str, dict[str, str]] = {
            node: {parent: relation for parent, relation in parents.items() if not _further(parent, parents, named)}
            for node, parents in named.items()
        }
        self.down: dict[str, dict[str, str]] = {}
        for node, parents in self.up.items():
            for parent, relation in parents.items():
                self.down.setdefault(parent, {})[node] = relation

    def ancestors(self, node: str) -> list[str]:
        return _reached(node, self.up)

    def descendants(self, node: str) -> list[str]:
        return _reached(node, self.down)

    def name(self, node: str) -> str:
        return self.entries[node].name if node in self.entries else node

    def roots(self, node: str | None = None) -> list[str]:
        """Where lineages begin: of this node, or of all that have children."""
        nodes = [node, *self.ancestors(node)] if node else sorted(self.down, key=str.casefold)
        return [each for each in nodes if not self.up.get(each)]

    def walk(self, root: str) -> Iterator[tuple[int, str, str]]:
        """(depth, node, relation to its parent) from a root down. A node with two parents comes once for each; what
        was made from it only the first time."""
        open_, seen = [(0, root, "")], set[str]()
        while open_:
            depth, node, relation = open_.pop()
            yield depth, node, relation
            if node not in seen:
                seen.add(node)
                children = sorted(self.down.get(node, {}).items(), key=lambda each: each[0].casefold(), reverse=True)
                open_ += [(depth + 1, child, how) for child, how in children]


def circles(family: Family) -> list[list[str]]:
    """Lineages that end where they began: every node that is in one, in at least one of them."""
    ups = _without_ends({node: set(parents) for node, parents in family.up.items()})
    found: list[list[str]] = []
    covered: set[str] = set()
    for start in ups:
        if start not in covered and (way := _way_back(start, ups)):
            found.append(way)
            covered.update(way)
    return found


def _without_ends(ups: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Without the nodes whose lineage comes to an end: they are in no circle. What is left is usually nothing."""
    left = dict(ups)
    downs: dict[str, list[str]] = {}
    for node, parents in ups.items():
        for parent in parents:
            downs.setdefault(parent, []).append(node)
    waiting = {node: sum(parent in ups for parent in parents) for node, parents in ups.items()}
    ended = [node for node, count in waiting.items() if not count]
    while ended:
        node = ended.pop()
        del left[node]
        for child in downs.get(node, ()):
            waiting[child] -= 1
            if not waiting[child]:
                ended.append(child)
    return left


def _way_back(start: str, ups: Mapping[str, set[str]]) -> list[str]:
    """The shortest way up from a node to itself; empty where there is none."""
    came: dict[str, str] = {}
    open_ = deque([start])
    while open_:
        last = open_.popleft()
        for node in sorted(ups.get(last, ())):
            if node == start:
                way = [last]
                while way[-1] != start:
                    way.append(came[way[-1]])
                return way[::-1]
            if node not in came:
                came[node] = last
                open_.append(node)
    return []


def _further(parent: str, parents: Mapping[str, str], named: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether another of the parents was itself made from this one."""
    others = [each for each in parents if each != parent]
    return any(parent in _reached(each, named) and each not in _reached(parent, named) for each in others)


def _reached(node: str, steps: Mapping[str, Mapping[str, str]]) -> list[str]:
    """All that can be reached, the nearest first; the node itself only where there is a circle."""
    found: dict[str, None] = {}
    open_ = deque(steps.get(node, {}))
    while open_:
        each = open_.popleft()
        if each not in found:
            found[each] = None
            open_ += steps.get(each, {})
    return list(found)
