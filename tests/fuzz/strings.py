"""Generate byte strings that are almost HTTP, from a seed."""

import random
from collections.abc import Iterator

from tests.fuzz import parts


def message(chance: random.Random, token: bytes) -> bytes:
    """Return a request, or bytes that resemble one."""
    if chance.random() < 0.1:
        return chance.choice(parts.STRINGS)
    end = chance.choice(parts.ENDS) if chance.random() < 0.2 else b"\r\n"
    target = chance.choice(parts.TARGETS) + chance.choice(parts.QUERIES)
    version = b"HTTP/1.1" if chance.random() < 0.8 else chance.choice(parts.VERSIONS)
    lines = [
        b" ".join((chance.choice(parts.METHODS[: 7 if chance.random() < 0.8 else None]), target, version))
    ]
    lines += chance.choices(parts.HEADERS, k=chance.randrange(8))
    data = end.join((*lines, b"", b"")) + (chance.choice(parts.BODIES) if chance.random() < 0.6 else b"")
    return data.replace(b"TOKEN", token)


def mutated(chance: random.Random, data: bytes) -> bytes:
    """Change, remove or repeat some bytes."""
    changed = bytearray(data)
    for _ in range(chance.choice((0, 0, 0, 1, 1, 2, 5))):
        at = chance.randrange(len(changed) + 1)
        kind = chance.randrange(4)
        if kind == 0:
            changed[at : at + 1] = bytes([chance.randrange(256)])
        elif kind == 1:
            del changed[at : at + chance.randrange(20)]
        elif kind == 2:
            changed[at:at] = changed[max(0, at - 30) : at]
        else:
            changed[at:at] = chance.choice((b"\r\n", b"\x00", b"\xff", b" ", b"\t", b":", b"0", b"\r\n\r\n"))
    return bytes(changed)


def strings(seed: int, token: bytes) -> Iterator[bytes]:
    """Yield an endless, repeatable sequence of byte strings."""
    chance = random.Random(seed)
    while True:
        yield mutated(
            chance, b"".join(message(chance, token) for _ in range(chance.choice((1, 1, 1, 2, 3, 8))))
        )
