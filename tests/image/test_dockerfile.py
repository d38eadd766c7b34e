"""A Dockerfile is read as Docker reads it."""

from pathlib import Path

import pytest

from tests.image.context import compiled, is_ignored, send
from tests.image.dockerfile import BadDockerfile, filled, read_dockerfile

TEXT = """\
# syntax is of no account here
ARG PYTHON_IMAGE=python:3.13
FROM ${PYTHON_IMAGE} AS build
RUN one \\
    # a comment within
    && two

COPY --from=other --chown=1:2 a b /c/
FROM build
CMD ["serve", "--port=1"]
"""


def test_stages_and_steps_are_found() -> None:
    first, last = read_dockerfile(TEXT).stages
    assert (first.name, first.base, last.base) == ("build", "python:3.13", "build")
    run, copy = first.steps
    assert (run.line, run.command()) == (4, ["/bin/sh", "-c", "one && two"])
    assert (copy.flags, copy.text) == ({"from": "other", "chown": "1:2"}, "a b /c/")
    assert last.steps[0].command() == ["serve", "--port=1"]


@pytest.mark.parametrize(
    "text",
    ["FROM a\nHEALTHCHEK CMD b", "RUN a", "", "FROM a\nRUN b \\", "FROM a\nADD b c"],
    ids=["misspelt", "before FROM", "empty", "cut off", "not known here"],
)
def test_what_is_not_known_is_refused(text: str) -> None:
    with pytest.raises(BadDockerfile):
        read_dockerfile(text)


def test_variables_are_filled_in() -> None:
    assert filled("${A}-$B-${NO}-\\$A", {"A": "1", "B": "2"}) == "1-2--$A"


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("src/a.py", True),
        ("src/deep/b.py", True),
        ("src/deep/__pycache__/b.pyc", False),
        ("README.md", True),
        (".env", False),
        ("docs/README.md", False),
    ],
)
def test_what_is_ignored_is_not_sent(path: str, sent: bool) -> None:
    patterns = compiled(["# all", "*", "!src", "!README.md", "**/__pycache__"])
    assert is_ignored(Path(path), patterns) is not sent


def test_a_secret_beside_the_source_is_not_sent_to_the_build(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    folder = tmp_path / "tree"
    for name in (
        ".env",
        "scoreboard.db",
        "src/scoreboard/app.py",
        "pyproject.toml",
        "deploy/nginx.conf",
        ".git/config",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    (folder / ".dockerignore").write_text((root / ".dockerignore").read_text())
    send(folder, tmp_path / "sent")
    sent = {
        str(path.relative_to(tmp_path / "sent")) for path in (tmp_path / "sent").rglob("*") if path.is_file()
    }
    assert sent == {"src/scoreboard/app.py", "pyproject.toml"}
