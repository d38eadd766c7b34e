"""`make pictures`: write screenshots, light and dark, and a short animation to docs/pictures."""

import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.browsers import chromium, visiting
from tests.e2e.processes import serving

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
VIEW = {"width": 760, "height": 1_010}
FRAMES = 48
FRAME_MS = 125
ANIMATION_WIDTH = 520


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        settings = {"SCOREBOARD_CATALOG": "", "SCOREBOARD_JWT_SECRET": ""}
        with serving(Path(folder), "demo", **settings) as (_, client):
            url = str(client.base_url)
            for scheme in ("light", "dark"):
                photograph(browser, url, scheme)
            animate(browser, url)
    for picture in sorted(FOLDER.iterdir()):
        print(f"{picture.name}: {picture.stat().st_size / 1_000:.0f} KB")


def photograph(browser: Browser, url: str, scheme: str) -> None:
    with visiting(browser, url, viewport=VIEW, color_scheme=scheme, device_scale_factor=2) as context:
        page = context.new_page()
        play(page, url, actions=3)
        page.screenshot(path=FOLDER / f"page-{scheme}.png")


def play(page: Page, url: str, actions: int) -> None:
    page.goto(url)
    expect(page.locator("tbody tr")).to_have_count(10)
    page.get_by_role("button", name="Take a name").click()
    for _ in range(actions):
        page.get_by_role("button", name="Find a treasure").click()
        page.wait_for_timeout(700)


def animate(browser: Browser, url: str) -> None:
    """Record frames while simulated players score and a visitor moves up."""
    with visiting(browser, url, viewport=VIEW) as context:
        page = context.new_page()
        play(page, url, actions=1)
        frames = []
        for number in range(FRAMES):
            if number in {8, 20, 32}:
                page.get_by_role("button", name="Complete a quest").click()
            shot = Image.open(io.BytesIO(page.screenshot()))
            frames.append(shot.resize((ANIMATION_WIDTH, ANIMATION_WIDTH * shot.height // shot.width)))
            page.wait_for_timeout(FRAME_MS)
    first, *rest = frames
    first.save(FOLDER / "live.webp", save_all=True, append_images=rest, duration=FRAME_MS, loop=0, quality=70)


if __name__ == "__main__":
    main()
