"""A sorted collection of keys that knows the rank of each: a list of short sorted lists, with a tree of their lengths.

Insertion, removal and the key at a rank cost a few microseconds among a million keys.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from itertools import islice
from typing import Final

BLOCK: Final = 1_000
"""Keys a block holds before it is split: moving half of that many references is cheaper than finding the block."""


class Order:
    """Distinct integer keys, ascending."""

    __slots__ = ("_blocks", "_lasts", "_length", "_sums")

    def __init__(self) -> None:
        self._blocks: list[list[int]] = []
        self._lasts: list[int] = []
        self._length = 0
        # A Fenwick tree over the blocks' lengths (P. Fenwick, 1994); None when the blocks have changed.
        self._sums: list[int] | None = None

    def __len__(self) -> int:
        return self._length

    def add(self, key: int) -> None:
        """Insert a key that is not in."""
        self._length += 1
        if not self._blocks:
            self._blocks.append([key])
            self._lasts.append(key)
            self._sums = None
            return
        index = min(bisect_left(self._lasts, key), len(self._lasts) - 1)
        block = self._blocks[index]
        insort(block, key)
        if len(block) > 2 * BLOCK:
            self._blocks.insert(index + 1, block[BLOCK:])
            self._lasts.insert(index, block[BLOCK - 1])
            del block[BLOCK:]
            self._lasts[index + 1] = self._blocks[index + 1][-1]
            self._sums = None
        else:
            self._lasts[index] = block[-1]
            self._count(index, 1)

    def remove(self, key: int) -> None:
        """Take out a key that is in."""
        self._length -= 1
        index = bisect_left(self._lasts, key)
        block = self._blocks[index]
        del block[bisect_left(block, key)]
        if block:
            self._lasts[index] = block[-1]
            self._count(index, -1)
        else:
            del self._blocks[index]
            del self._lasts[index]
            self._sums = None

    def rank(self, key: int) -> int:
        """How many keys are at most this one: the first has rank 1."""
        index = bisect_left(self._lasts, key)
        before = 0
        node = index
        sums = self._tree()
        while node:
            before += sums[node]
            node &= node - 1
        return before + bisect_left(self._blocks[index], key) + 1

    def after(self, skipped: int) -> Iterator[int]:
        """The keys from rank `skipped` + 1 on. The order must not change meanwhile."""
        sums = self._tree()
        index = 0
        step = 1 << (len(self._blocks).bit_length())
        while step:
            if index + step < len(sums) and sums[index + step] <= skipped:
                index += step
                skipped -= sums[index]
            step >>= 1
        for block in islice(self._blocks, index, None):
            yield from islice(block, skipped, None)
            skipped = 0

    def _count(self, index: int, change: int) -> None:
        sums = self._sums
        if sums is None:
            return
        node = index + 1
        while node < len(sums):
            sums[node] += change
            node += node & -node

    def _tree(self) -> list[int]:
        sums = self._sums
        if sums is None:
            sums = [0, *map(len, self._blocks)]
            for node in range(1, len(sums)):
                parent = node + (node & -node)
                if parent < len(sums):
                    sums[parent] += sums[node]
            self._sums = sums
        return sums
