"""Is a list of heads a tree?"""

from __future__ import annotations

from collections.abc import Sequence


def tree_faults(heads: Sequence[int]) -> list[tuple[int, str]]:
    """What is wrong with a sentence's heads, as (position of the word from 0, what).

    ``heads[i]`` is the 1-based number of the head of word ``i + 1``, or 0 for the root, as in the
    HEAD column. A tree has one root, heads within the sentence, and no cycle. Takes O(n).
    """
    count = len(heads)
    faults = [
        (position, f"its head is {head}, but the sentence has {count} words")
        for position, head in enumerate(heads)
        if not 0 <= head <= count
    ]
    if faults:
        return faults
    roots = [position for position, head in enumerate(heads) if head == 0]
    if not roots:
        faults.append((0, "the sentence has no root"))
    for position in roots[1:]:
        faults.append((position, f"a second root, beside word {roots[0] + 1}"))
    # The walk that last came past a word; a walk that meets itself has closed a cycle.
    walk = [0] * count
    for start in range(count):
        at = start
        while at >= 0 and not walk[at]:
            walk[at] = start + 1
            at = heads[at] - 1
        if at >= 0 and walk[at] == start + 1:
            cycle, step = [at + 1], heads[at] - 1
            while step != at:
                cycle.append(step + 1)
                step = heads[step] - 1
            words = " -> ".join(map(str, [*cycle[:10], at + 1]))
            faults.append((at, f"its heads run in a circle: {words}"))
    return faults
