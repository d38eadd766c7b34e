"""Steps are really taken, and what they make runs as a container would: a mistake in a Dockerfile is found."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.missing import go_without
from tests.image import rooted
from tests.image.base import NoBase, find_python, make_base
from tests.image.building import Built, build
from tests.image.dockerfile import BadDockerfile, read_dockerfile
from tests.image.steps import StepImage
from tests.servers.process import are_in, children_of, until

Make = Callable[[str], StepImage]

TEXT = """\
FROM base AS build
ARG WORD=nothing
WORKDIR /build
COPY given ./
RUN tr a-z A-Z < given > made && echo "${WORD}" >> made && mkdir /data
FROM base
COPY --from=build /build/made /app/
COPY --from=build --chown=10001:10001 /data /data
ENV PATH=/app:${PATH} WHERE=here
VOLUME /data
WORKDIR /app
USER 10001:10001
ENTRYPOINT ["cat"]
CMD ["made"]
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if (reason := rooted.refused()) is not None:
        go_without(f"the Dockerfile's steps need namespaces: {reason}")
    folder = tmp_path_factory.mktemp("base")
    try:
        make_base(folder, find_python())
    except NoBase as error:
        go_without(str(error))
    return folder


@pytest.fixture
def make(base: Path, tmp_path: Path) -> Make:
    (tmp_path / "context").mkdir()
    (tmp_path / "context/given").write_text("hello\n")

    def made(text: str) -> StepImage:
        built: Built = build(
            read_dockerfile(text), tmp_path / "context", base, tmp_path / "stages", lambda _: None
        )
        return StepImage(built, tmp_path)

    return made


def test_each_stage_gets_what_its_steps_make(make: Make) -> None:
    image = make(TEXT)
    with image.volume() as volume:
        assert image.run(["cat", "/app/made"], volume).stdout == "HELLO\nnothing\n"
        # Nothing of the first stage is in the last, but for what is copied.
        assert image.run(["ls", "/build"], volume).returncode != 0
        assert image.run(["sh", "-c", "echo $WHERE $PWD"], volume).stdout == "here /app\n"


def test_its_user_writes_into_the_volume_and_nowhere_else(make: Make) -> None:
    image = make(TEXT)
    with image.volume() as volume:
        assert image.run(["sh", "-c", "id -u; id -G; touch /data/kept"], volume).stdout == "10001\n10001\n"
        assert image.run(["ls", "/data"], volume).stdout == "kept\n"
        for place in ("/app/made", "/root/new", "/etc/passwd", "/proc/sys/kernel/hostname"):
            assert image.run(["sh", "-c", f"echo 1 > {place}"], volume).returncode != 0
        assert image.run(["mount", "-o", "remount,rw", "/"], volume).returncode != 0


def test_what_is_not_root_by_the_file_system_alone_cannot_become_it(make: Make) -> None:
    image = make(
        TEXT.replace("RUN tr", "RUN chmod u+s /bin/cat /bin/sh /usr/bin/id; tr").replace(
            "FROM base\n", "FROM build\n"
        )
    )
    with image.volume() as volume:
        assert image.run(["id", "-u"], volume).stdout == "10001\n"


@pytest.mark.parametrize(
    ("removed", "told"),
    [
        ("COPY given ./\n", r"line 4: RUN ended with"),
        ("COPY --from=build /build/made /app/\n", ""),
        (" && mkdir /data", r"line 8: COPY finds no /data"),
    ],
    ids=["what a RUN needs", "what the command needs", "what a later COPY needs"],
)
def test_a_step_that_is_missing_is_found(make: Make, removed: str, told: str) -> None:
    text = TEXT.replace(removed, "")
    assert text != TEXT
    if told:
        with pytest.raises(BadDockerfile, match=told):
            make(text)
        return
    image = make(text)
    with image.volume() as volume:
        assert image.run([*image.built.entrypoint, *image.built.command], volume).returncode != 0


def test_nothing_of_a_container_is_left_when_a_trial_fails(make: Make) -> None:
    image = make(TEXT.replace('["cat"]', '["sleep"]').replace('["made"]', '["1000"]'))

    def fail_meanwhile() -> None:
        with image.volume() as volume, image.start(volume) as container:
            until(lambda: container.user() == 10_001 or not rooted.IS_ROOT, "the image's user runs it")
            family.extend(set(children_of(os.getpid())) - others)
            raise AssertionError("the trial's own")

    # The servers that tests share run on.
    others = set(children_of(os.getpid()))
    family: list[int] = []
    with pytest.raises(AssertionError, match="the trial's own"):
        fail_meanwhile()
    assert len(family) >= 2
    until(lambda: are_in("", family), "all are gone")


def test_a_command_that_takes_too_long_is_ended_with_all_it_has_started(make: Make) -> None:
    image = make(TEXT)
    with image.volume() as volume, subprocess.Popen(image.words(["sleep", "1000"], volume, {})) as process:
        until(lambda: len(children_of(process.pid)) == 2, "the command runs")
        family = children_of(process.pid)
        process.kill()
        until(lambda: are_in("", family), "all are gone")
