"""The constituency tree with marked heads, and everything that is read off from it.

Dependencies, brackets and mention spans all come from the same tree, so that they can never
disagree. In each phrase one child is the head; every other child carries the UD relation
that its own head word bears to the head word of the phrase. (Heads are those of Universal
Dependencies: the noun of a prepositional phrase, the predicate of a copular clause.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

HEAD = "head"


@dataclass(frozen=True)
class Word:
    """One word with its annotation and the way it joins its neighbours."""

    form: str
    lemma: str
    upos: str
    xpos: str
    feats: str = "_"
    space_before: bool = True
    space_after: bool = True
    fused: bool = False  # written together with the word before it, as in "don't"


@dataclass
class Node:
    """A phrase, or a leaf when it holds a word."""

    label: str
    children: list[Node] = field(default_factory=list)
    relation: str = HEAD
    word: Word | None = None
    attach: int = 0  # depends on the sibling so many places on, as "and" on the next one
    entity: int | None = None  # the discourse entity this phrase mentions

    def as_(self, relation: str) -> Node:
        """The same node, bearing ``relation`` to its parent's head."""
        self.relation = relation
        return self

    def to_next(self, relation: str) -> Node:
        """The same node, depending on the sibling that follows it."""
        self.attach = 1
        return self.as_(relation)

    def to_second_next(self, relation: str) -> Node:
        """The same node, depending on the sibling after the next, as a comma before "and"."""
        self.attach = 2
        return self.as_(relation)

    def to_previous(self, relation: str) -> Node:
        """The same node, depending on the sibling before it."""
        self.attach = -1
        return self.as_(relation)

    def mentioning(self, entity: int) -> Node:
        """The same node, marked as a mention of a discourse entity."""
        self.entity = entity
        return self


@dataclass(frozen=True)
class Span:
    """A mention read off from a tree; word positions count from 0, ``end`` is inclusive."""

    start: int
    end: int
    entity: int
    heads: tuple[int, ...]


def leaf(word: Word, relation: str = HEAD) -> Node:
    """A leaf whose label is the word's Penn tag."""
    return Node(word.xpos, [], relation, word)


def phrase(label: str, *children: Node | None) -> Node:
    """A phrase of the children given (None is left out); exactly one must be the head."""
    kept = [child for child in children if child is not None]
    heads = sum(child.relation == HEAD for child in kept)
    if heads != 1:
        raise ValueError(f"{label} needs one head among {[c.label for c in kept]}, has {heads}")
    return Node(label, kept)


def leaves(node: Node) -> Iterator[Node]:
    """The leaves from left to right."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if current.word is not None:
            yield current
        waiting.extend(reversed(current.children))


def words(node: Node) -> list[Word]:
    """The words from left to right."""
    return [item.word for item in leaves(node) if item.word is not None]


def head_child(node: Node) -> Node:
    """The child that is the head of a phrase."""
    return next(child for child in node.children if child.relation == HEAD)


def head_leaf(node: Node) -> Node:
    """The leaf that heads a whole phrase."""
    return node if node.word is not None else head_leaf(head_child(node))


def dependencies(root: Node) -> list[tuple[int, str]]:
    """For each word, the position of its head counting from 1 (0: the root) and the relation."""
    position = {id(item): index for index, item in enumerate(leaves(root))}
    result: list[tuple[int, str]] = [(0, "root")] * len(position)

    def visit(node: Node) -> None:
        if node.word is not None:
            return
        head = position[id(head_leaf(node))]
        for index, child in enumerate(node.children):
            if child.relation != HEAD:
                governor = head
                if child.attach:
                    governor = position[id(head_leaf(node.children[index + child.attach]))]
                result[position[id(head_leaf(child))]] = (governor + 1, child.relation)
            visit(child)

    visit(root)
    return result


def bracket(node: Node) -> str:
    """The Penn bracket on one line; its leaves are the words in order."""
    if node.word is not None:
        return f"({node.label} {node.word.form})"
    return f"({node.label} {' '.join(bracket(child) for child in node.children)})"


def mention_spans(root: Node) -> list[Span]:
    """All mentions, by start; of two that start together the longer one comes first."""
    position = {id(item): index for index, item in enumerate(leaves(root))}
    spans: list[Span] = []

    def visit(node: Node) -> None:
        if node.entity is not None:
            inside = [position[id(item)] for item in leaves(node)]
            heads = tuple(position[id(item)] for item in _mention_heads(node))
            spans.append(Span(inside[0], inside[-1], node.entity, heads))
        for child in node.children:
            visit(child)

    visit(root)
    return sorted(spans, key=lambda span: (span.start, -span.end))


def _mention_heads(node: Node) -> list[Node]:
    """The head leaf, with the rest of a name or the heads of further conjuncts."""
    found = [head_leaf(node)]
    while node.word is None:
        found += [head_leaf(c) for c in node.children if c.relation in ("flat", "conj")]
        node = head_child(node)
    return _without_repeats(found)


def _without_repeats(nodes: list[Node]) -> list[Node]:
    """The nodes without repeats, in the order given."""
    result: list[Node] = []
    for node in nodes:
        if all(node is not other for other in result):
            result.append(node)
    return result
