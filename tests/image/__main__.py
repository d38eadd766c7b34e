"""`make image-test`: build the image and try it. Exit code 1: it failed.

A Docker engine does it where one runs; else the Dockerfile's own steps are taken.
"""

import subprocess
import sys
from pathlib import Path
from time import monotonic

from tests.image import rooted
from tests.image.base import NoBase
from tests.image.dockerfile import BadDockerfile
from tests.image.engine import built_by_engine, engine_answers
from tests.image.steps import built_by_steps
from tests.image.trial import Failed, try_image

ROOT = Path(__file__).parents[2]


def main() -> None:
    begun = monotonic()

    def say(text: str) -> None:
        print(f"{monotonic() - begun:5.1f} s  {text}", flush=True)

    by_engine = engine_answers()
    if not by_engine:
        if (reason := rooted.refused()) is not None:
            sys.exit(
                f"The image cannot be tried: no Docker engine answers here, and of namespaces: {reason}."
            )
        say(
            "No Docker engine answers here: the Dockerfile's own steps are taken in folders that stand for its stages."
        )
    try:
        with (built_by_engine if by_engine else built_by_steps)(ROOT, say) as image:
            try_image(image, say, by_engine)
    except (BadDockerfile, Failed, NoBase, subprocess.SubprocessError) as error:
        sys.exit(f"The image failed: {error}")
    say("The image keeps what it promises.")


if __name__ == "__main__":
    main()
