"""A batch of sequences that share their beginnings, as rows: every shared token is one row of several sequences.

Knows tokens and places; no context and no logits.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class _Node:
    token: int
    children: "dict[int, _Node]" = field(default_factory=dict)
    output: bool = False
    row: int = -1


class Tree:
    """Grows behind a trunk of `start` tokens, up to so many rows, branches and rows of logits."""

    def __init__(self, start: int, most_rows: int, most_branches: int, most_outputs: int) -> None:
        self.start = start
        self._most = (most_rows, most_branches, most_outputs)
        self._root = _Node(-1)
        self._rows = self._outputs = 0
        self.branches = 0
        self.tokens: list[int] = []
        self.positions: list[int] = []
        self.sequences: list[list[int]] = []
        self.outputs: list[int] = []

    @property
    def rows(self) -> int:
        return self._rows

    def add(self, prompt: Sequence[int], continuations: Sequence[Sequence[int]]) -> bool:
        """Add a prompt and what may follow it, whose every token will have a row of logits before it; False if full.

        The tree is as it was where it returns False. `prompt` begins with the trunk.
        """
        ends = [tuple(tokens[:-1]) for tokens in continuations]
        own = tuple(prompt[self.start :])
        if not own:
            return False
        longer = sum(map(len, ends))
        leaves = max(sum(1 for end in ends if end), 1)
        room = (self._rows + self._missing(own) + longer, self.branches + leaves, self._outputs + longer + 1)
        if any(a > b for a, b in zip(room, self._most, strict=True)):
            return False
        last = self._insert(self._root, own)
        self._wants(last)
        for end in ends:
            node = last
            for token in end:
                node = self._insert(node, (token,))
                self._wants(node)
        self.branches += leaves
        return True

    def _missing(self, path: Sequence[int]) -> int:
        node = self._root
        for place, token in enumerate(path):
            if token not in node.children:
                return len(path) - place
            node = node.children[token]
        return 0

    def _insert(self, node: _Node, path: Sequence[int]) -> _Node:
        for token in path:
            child = node.children.get(token)
            if child is None:
                child = node.children[token] = _Node(token)
                self._rows += 1
            node = child
        return node

    def _wants(self, node: _Node) -> None:
        self._outputs += not node.output
        node.output = True

    def finish(self) -> None:
        """Lay the rows out: depth first, so that positions of every sequence rise; a leaf is a sequence."""
        self.branches = 0
        for child in self._root.children.values():
            self._lay(child)

    def _lay(self, top: _Node) -> None:
        for node, depth, leaves in _walk(top):
            node.row = len(self.tokens)
            self.tokens.append(node.token)
            self.positions.append(self.start + depth)
            self.sequences.append(list(range(self.branches, self.branches + leaves)))
            if node.output:
                self.outputs.append(node.row)
            if not node.children:
                self.branches += 1

    def rows_along(self, path: Sequence[int], continuation: Sequence[int]) -> list[int]:
        """For every token of a continuation of `path` the row whose logits predict it."""
        node = self._node(self._root, path)
        rows = [node.row]
        for token in continuation[:-1]:
            node = node.children[token]
            rows.append(node.row)
        return rows

    @staticmethod
    def _node(node: _Node, path: Sequence[int]) -> _Node:
        for token in path:
            node = node.children[token]
        return node


def _walk(top: _Node) -> Iterator[tuple[_Node, int, int]]:
    """Depth first: each node, its depth, and how many leaves are below it. Without recursion: paths are long."""
    order: list[tuple[_Node, int]] = []
    stack = [(top, 0)]
    while stack:
        node, depth = stack.pop()
        order.append((node, depth))
        stack.extend((child, depth + 1) for child in reversed(node.children.values()))
    leaves: dict[int, int] = {}
    for node, _ in reversed(order):
        leaves[id(node)] = sum(leaves[id(child)] for child in node.children.values()) or 1
    for node, depth in order:
        yield node, depth, leaves[id(node)]
