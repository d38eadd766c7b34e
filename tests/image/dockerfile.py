"""A Dockerfile, read: https://docs.docker.com/reference/dockerfile/. What is not known here is refused, never passed over."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

KNOWN = frozenset({
    "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "RUN", "STOPSIGNAL", "USER",
    "VOLUME", "WORKDIR",
})  # fmt: skip

_FLAG = re.compile(r"--([a-z-]+)=(\S+)\s+")
_VARIABLE = re.compile(r"\\\$|\$\{(?P<braced>\w+)\}|\$(?P<plain>\w+)")


class BadDockerfile(Exception):
    """Raised when a Dockerfile cannot be built; tells the line and why."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """One step; its text has neither comments nor broken lines."""

    line: int
    name: str
    flags: Mapping[str, str]
    text: str

    def command(self) -> list[str]:
        """What it runs: of the exec form the words, of the shell form a shell."""
        if self.text.startswith("["):
            try:
                words: list[str] = json.loads(self.text)
            except ValueError:
                raise BadDockerfile(f"line {self.line}: {self.text} is no JSON list of words") from None
            return words
        return ["/bin/sh", "-c", self.text]


@dataclass(slots=True)
class Stage:
    """From one FROM to the next."""

    name: str
    base: str
    steps: list[Instruction] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Dockerfile:
    arguments: Mapping[str, str]
    """The defaults of what stands before the first FROM."""
    stages: list[Stage]


def filled(text: str, values: Mapping[str, str]) -> str:
    """With ${NAME} and $NAME replaced; one that is not set is empty, as Docker has it."""

    def value(found: re.Match[str]) -> str:
        name = found["braced"] or found["plain"]
        return values.get(name, "") if name else "$"

    return _VARIABLE.sub(value, text)


def read_dockerfile(text: str) -> Dockerfile:
    """Raises BadDockerfile."""
    arguments: dict[str, str] = {}
    stages: list[Stage] = []
    for step in _instructions(text):
        if step.name == "FROM":
            base, _, name = filled(step.text, arguments).partition(" AS ")
            stages.append(Stage(name or str(len(stages)), base))
        elif stages:
            stages[-1].steps.append(step)
        elif step.name == "ARG":
            name, _, default = step.text.partition("=")
            arguments[name] = default
        else:
            raise BadDockerfile(f"line {step.line}: {step.name} stands before the first FROM")
    if not stages:
        raise BadDockerfile("it has no FROM")
    return Dockerfile(arguments, stages)


def _instructions(text: str) -> Iterator[Instruction]:
    begun, number = "", 0
    for line_number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#") or (begun and not line.strip()):
            continue
        if not begun:
            number = line_number
        if line.endswith("\\"):
            begun += line[:-1].strip() + " "
        elif begun or line.strip():
            yield _instruction(number, begun + line.strip())
            begun = ""
    if begun:
        raise BadDockerfile(f"line {number}: its end is missing")


def _instruction(number: int, text: str) -> Instruction:
    name, _, rest = text.partition(" ")
    if name not in KNOWN:
        raise BadDockerfile(f"line {number}: what {name} does is not known here")
    flags = {}
    while found := _FLAG.match(rest):
        flags[found[1]] = found[2]
        rest = rest[found.end() :]
    return Instruction(number, name, flags, rest.strip())
