"""Tables of a document that are reckoned: inputs, and rows that say by which formula they come of them.

    python -m benchmarks.sheet docs/scaling.md

reckons them anew. Of a document, the tables count whose first column is headed `name`:

- `| name | value | …`: inputs, a number each.
- `| name | formula | number | …`: a number that a formula makes of what stands above it.
- `| name | formula | 1 | 2: large | … |`: a number for each of several steps, or inputs, where the formula is `given`.

What stands in further columns is for readers.
"""

import ast
import math
import operator
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

GIVEN = "given"

OPERATIONS: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
FUNCTIONS: Mapping[str, Callable[..., float]] = {"min": min, "max": max, "ceil": math.ceil}


class WrongSheet(Exception):
    """Raised when a table cannot be read; tells which row."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A number of a document: where it stands, what is shown there, and what it should be."""

    name: str
    line: int
    column: int
    shown: str
    number: float
    is_reckoned: bool

    @property
    def is_right(self) -> bool:
        """Whether it is the number, to the digits that are shown."""
        decimals = len(self.shown.partition(".")[2])
        return abs(number(self.shown) - self.number) <= 0.5 * 10.0**-decimals * (1 + 1e-9)


def number(text: str) -> float:
    """As documents write it: 1,128 or 0.025. Raises ValueError."""
    return float(text.replace(",", ""))


def shown(value: float) -> str:
    """Three digits, or all of a larger whole number's."""
    if value == round(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    decimals = 2 - math.floor(math.log10(abs(value)))
    return f"{value:.{decimals}f}"


def evaluate(formula: str, known: Mapping[str, float]) -> float:
    """A formula of numbers, names, + - * / and min, max, ceil. Raises WrongSheet."""

    def of(node: ast.expr) -> float:
        match node:
            case ast.Constant(value=int() | float() as value):
                return value
            case ast.Name(id=name) if name in known:
                return known[name]
            case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATIONS:
                return OPERATIONS[type(op)](of(left), of(right))
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in FUNCTIONS:
                return FUNCTIONS[name](*map(of, arguments))
        raise WrongSheet(f"“{formula}”: {ast.unparse(node)} is not known here")

    try:
        return of(ast.parse(formula, mode="eval").body)
    except (SyntaxError, ZeroDivisionError) as error:
        raise WrongSheet(f"“{formula}”: {error}") from error


def cells(text: str, inputs: Mapping[str, float] | None = None) -> Iterator[Cell]:
    """All numbers of all tables, in order; with these inputs in place of those that stand there. Raises WrongSheet."""
    inputs = inputs or {}
    known: dict[str, list[float]] = {}
    for line, header, row in _rows(text):
        name = row[0].strip("`")
        if name in known:
            raise WrongSheet(f"{name} stands there twice")
        if header[1] == "value":
            columns, formula = [1], GIVEN
        else:
            columns, formula = [n for n, head in enumerate(header) if head == "number" or head[0].isdecimal()], row[1]
        row_values: list[float] = []
        for step, column in enumerate(columns):
            here = {one: values[step if len(values) > 1 else 0] for one, values in known.items()}
            value = inputs.get(name, number(row[column])) if formula == GIVEN else evaluate(formula.strip("`"), here)
            row_values.append(value)
            yield Cell(name, line, column, row[column], value, formula != GIVEN)
        known[name] = row_values


def _rows(text: str) -> Iterator[tuple[int, list[str], list[str]]]:
    header: list[str] | None = None
    for line, content in enumerate(text.splitlines()):
        if not content.startswith("|"):
            header = None
            continue
        row = split(content)
        if header is None and row[0] == "name":
            header = row
        elif header is not None and set(content) - set("|-: "):
            if len(row) != len(header):
                raise WrongSheet(f"line {line + 1} has {len(row)} columns, and its table {len(header)}")
            yield line, header, row


def split(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


def reckoned(text: str, inputs: Mapping[str, float] | None = None) -> str:
    """The document with these inputs, and with its other numbers made anew of what stands there. Raises WrongSheet."""
    # What a reader sees is what is reckoned with.
    inputs = {name: number(shown(value)) for name, value in (inputs or {}).items()}
    lines = text.splitlines()
    for cell in cells(text, inputs):
        if cell.is_reckoned or cell.name in inputs:
            row = split(lines[cell.line])
            row[cell.column] = shown(cell.number)
            lines[cell.line] = f"| {' | '.join(row)} |"
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        path.write_text(reckoned(path.read_text(encoding="utf-8")), encoding="utf-8")
