"""Who was made from whom: parents and children over a whole catalogue.

A model is a node by its id, or, where the catalogue has no entry of it, by the name that its children give. Knows no
files and no drawing.
"""

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
        """(depth, node, relation to its parent) from a root down; a node with two parents comes once for each."""
        open_ = [(0, root, "")]
        while open_:
            depth, node, relation = open_.pop()
            yield depth, node, relation
            children = sorted(self.down.get(node, {}).items(), key=lambda each: each[0].casefold(), reverse=True)
            open_ += [(depth + 1, child, how) for child, how in children]


def circles(family: Family) -> list[list[str]]:
    """The lineages that end where they began, each once."""
    found: dict[frozenset[str], list[str]] = {}
    for start in family.up:
        if way := _way_back(start, family):
            found.setdefault(frozenset(way), way)
    return list(found.values())


def _way_back(start: str, family: Family) -> list[str]:
    """The shortest way up from a node to itself; empty where there is none."""
    ways, seen = [[start]], set[str]()
    while ways:
        way = ways.pop(0)
        for node in family.up.get(way[-1], {}):
            if node == start:
                return way
            if node not in seen:
                seen.add(node)
                ways.append([*way, node])
    return []


def _further(parent: str, parents: Mapping[str, str], named: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether another of the parents was itself made from this one."""
    others = [each for each in parents if each != parent]
    return any(parent in _reached(each, named) and each not in _reached(parent, named) for each in others)


def _reached(node: str, steps: Mapping[str, Mapping[str, str]]) -> list[str]:
    """All that can be reached, the nearest first; the node itself only where there is a circle."""
    found: dict[str, None] = {}
    open_ = list(steps.get(node, {}))
    while open_:
        each = open_.pop(0)
        if each not in found:
            found[each] = None
            open_ += steps.get(each, {})
    return list(found)
