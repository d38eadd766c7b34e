"""Tables of the documents that come from the code.

A document calls a function of this module in a block of cog (https://cog.readthedocs.io). `make reference`
fills the blocks in, and `make check` fails if one is out of date.
"""

import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from unittest.mock import MagicMock

import typer.main
from prometheus_client import CollectorRegistry
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from scoreboard.cli import app
from scoreboard.clock import SystemClock
from scoreboard.domain import boards, rate_limit
from scoreboard.domain.plain_text import MAX_CHARACTERS
from scoreboard.fanout import ring
from scoreboard.metrics import CurrentState, Metrics
from scoreboard.resilience import rate_limiter as limiter
from scoreboard.server import connection_limits as connection
from scoreboard.services import answer, closed_periods, verify, write_queue
from scoreboard.services import group_commit as commit
from scoreboard.settings import catalog_file
from scoreboard.settings.config import PREFIX, Settings
from scoreboard.settings.postgresql_url import ASYNCPG_OPTIONS, OWN_OPTIONS, SESSION_OPTIONS
from scoreboard.web import problems
from scoreboard.web import request_parts as body
from scoreboard.web.auth import tokens as auth
from scoreboard.web.schemas import fields as schemas
from scoreboard.web.streaming import socket_subscriber

DEFINITION_KEYS: Final = ("aggregation", "sort", "columns", "ties", "periods", "timezone")

STATIC: Final = Path(inspect.getfile(schemas)).parents[1] / "static"


def settings() -> None:
    """Print the table of all settings."""
    _table("setting", "default", "")
    for name, field in Settings.model_fields.items():
        _row(f"`{PREFIX}{name.upper()}`", f"`{_default(field)}`" if _default(field) else "", _text(field))


def example_settings() -> None:
    """Print `.env.example`: each setting with its default, commented out."""
    for name, field in Settings.model_fields.items():
        print("\n" + textwrap.fill(_text(field), 100, initial_indent="# ", subsequent_indent="# "))
        print(f"# {PREFIX}{name.upper()}={_default(field)}")


def catalog_keys(kind: str) -> None:
    """Print the keys of `[boards.ID]`, of a column, or of `[actions.ID]`."""
    entries: Mapping[str, type[BaseModel]] = {
        "boards": catalog_file.BoardEntry,
        "columns": catalog_file.ColumnEntry,
        "actions": catalog_file.ActionEntry,
    }
    _table("key", "")
    for name, field in entries[kind].model_fields.items():
        default = f" Default: `{_default(field)}`." if _default(field) else ""
        _row(f"`{name}`", ("Required. " if field.is_required() else "") + _text(field) + default)


def definition_keys() -> None:
    """Print the keys of the catalog that are part of a board's definition, which cannot change."""
    _table("key", "")
    for name, field in catalog_file.BoardEntry.model_fields.items():
        if name in DEFINITION_KEYS:
            _row(f"`{name}`", _text(field) + f" Default: `{_default(field) or 'none'}`.")


def errors() -> None:
    """Print all errors of the API."""
    _table("status", "`code`", "cause")
    for error, status in sorted(problems.STATUS.items(), key=lambda item: (item[1], item[0].code)):
        _row(status.value, f"`{error.code}`", _condition(error))


def metrics() -> None:
    """Print the metrics of this program, without those of the process."""
    collected = Metrics(SystemClock())
    mock = MagicMock()
    collected.registry.register(CurrentState(mock, mock, mock, mock, mock, lambda: {"redis": (0, 1)}))
    _table("metric", "")
    for name, labels, text in sorted(_families(collected.registry)):
        _row(f"`{name}{labels}`", text)


def commands() -> None:
    """Print the commands of `scoreboard`."""
    _table("command", "")
    group: Any = typer.main.get_command(app)
    for name in group.list_commands(None):
        _row(f"`{name}`", _sentence(group.get_command(None, name).help or ""))


def limits() -> None:
    """Print what one connection, client or instance can take, and what happens above."""
    _table("what", "limit", "above it")
    for row in (
        ("TLS handshake", f"{connection.HANDSHAKE_SECONDS:g} s", "closed"),
        ("connection before its first request", f"{connection.HEADER_SECONDS:g} s", "closed"),
        (
            "request line and header",
            f"{_bytes(connection.MAX_HEADER_BYTES)}, {connection.MAX_HEADERS} fields",
            "431",
        ),
        ("… until it is complete", f"{connection.HEADER_SECONDS:g} s", "408"),
        ("body", _bytes(body.MAX_BODY_BYTES), "413"),
        ("… until it is complete", f"{connection.BODY_SECONDS:g} s", "408"),
        ("discarded rest of a refused body", _bytes(socket_subscriber.MAX_DISCARDED_BYTES), "closed"),
        ("bytes from the client of a stream", _bytes(socket_subscriber.MAX_DISCARDED_BYTES), "closed"),
        ("client that does not read an answer", f"{connection.UNREAD_SECONDS:g} s", "closed"),
        ("client that does not read a stream", f"{ring.STALLED_SECONDS:g} s", "closed"),
        ("token", _bytes(auth.MAX_TOKEN_BYTES), "401"),
        ("id, idempotency key", f"{MAX_CHARACTERS} characters", "422"),
        ("score and version", f"±{boards.MAX_SCORE:,}", "409"),
        ("rows of a page", f"{schemas.MAX_LIMIT}", "422"),
        ("rows of a stream", f"`rows` of the board, at most {catalog_file.MAX_ROWS}", ""),
        ("streams of an instance", "open files − 250, or a setting", "200, `retry:`, end"),
        ("waiting submissions of an instance", f"{write_queue.QUEUE_SIZE:,}", "503 `queue_full`"),
        ("waiting submissions of a player", f"{write_queue.PLAYER_QUEUE_SIZE}", "429 `player_busy`"),
        (
            "addresses whose reads an instance counts",
            f"{limiter.REMEMBERED_KEYS:,}",
            "the oldest is forgotten",
        ),
        ("submissions of one batch", f"{commit.BATCH_SIZE}", "the next batch"),
        ("wait of an answer for its rank", f"{answer.ANSWER_WITHOUT_RANK_SECONDS:g} s", "`rank` is null"),
        ("boards a second on a stream", f"{1 / ring.PACE_SECONDS:g}", "the newest only"),
        ("changes that a patch spans", f"{ring.MAX_PATCHED_CHANGES}", "the whole board"),
        (
            "rows of a board without Redis",
            f"{closed_periods.STORE_READ_ROWS}, and one page further down a second",
            "503",
        ),
        ("differences that `verify` lists", f"{verify.MAX_DIFFERENCES}", "their number"),
    ):
        _row(*row)


def postgresql_options() -> None:
    """Print the options that a PostgreSQL URL may have."""
    names = (*OWN_OPTIONS, *ASYNCPG_OPTIONS, *SESSION_OPTIONS)
    print(textwrap.fill(", ".join(f"`{name}`" for name in names), 100))


def element_files() -> None:
    """Print a shell loop that downloads the element and all modules that it imports."""
    found = ["score-board.js"]
    for name in found:
        imported = re.findall(r' from "\./([\w-]+\.js)"', (STATIC / name).read_text(encoding="utf-8"))
        found += [each for each in dict.fromkeys(imported) if each not in found]
    print("```sh")
    names = " ".join(name.removesuffix(".js") for name in found)
    print(
        " \\\n".join(
            textwrap.wrap(f"for file in {names}; do", 97, subsequent_indent="    ", break_on_hyphens=False)
        )
    )
    print('  curl --fail --remote-name "https://scores.example/static/$file.js"\ndone\n```')


def source(code: Callable[..., Any] | type) -> None:
    """Print the source of a function or class."""
    print(f"```python\n{textwrap.dedent(inspect.getsource(code)).rstrip()}\n```")


def file(path: str, language: str) -> None:
    """Print a file of the repository."""
    print(f"```{language}\n{(Path(__file__).parents[1] / path).read_text(encoding='utf-8').rstrip()}\n```")


def _table(*titles: str) -> None:
    _row(*titles)
    print("|---" * len(titles) + "|")


def _row(*cells: object) -> None:
    print("|" + "|".join(str(cell).replace("|", "\\|") for cell in cells) + "|")


def _text(field: FieldInfo) -> str:
    return " ".join((field.description or "").split())


def _default(field: FieldInfo) -> str:
    match field.default:
        case rate_limit.RateLimit(count, window_us):
            return f"{count}/{ {1: 'second', 60: 'minute', 3_600: 'hour'}[window_us // 1_000_000] }"
        case bool(value):
            return str(value).lower()
        case float(value):
            return f"{value:g}"
        case str() | int() as value:
            return str(value)
    return ""


def _condition(error: type[Exception]) -> str:
    """Return what the docstring of an error says after "Raised if"."""
    text = re.sub(r"^Raised (if |when )?", "", _sentence(error.__doc__ or "").rstrip("."))
    return text[:1].upper() + text[1:]


def _sentence(text: str) -> str:
    """Return the first paragraph as one line."""
    return " ".join(text.partition("\n\n")[0].split())


def _bytes(number: int) -> str:
    return f"{number // 1_024} KiB"


def _families(registry: CollectorRegistry) -> Iterator[tuple[str, str, str]]:
    collectors: Iterable[Any] = list(registry._collector_to_names)
    for collector in collectors:
        for family in collector.collect():
            if family.name.startswith("scoreboard_"):
                labels = list(getattr(collector, "_labelnames", ()))
                for sample in family.samples:
                    labels += [label for label in sample.labels if label not in {*labels, "le"}]
                name = family.name + ("_total" if family.type == "counter" else "")
                yield name, f"{{{','.join(labels)}}}" if labels else "", family.documentation
