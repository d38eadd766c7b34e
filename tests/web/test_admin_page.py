"""The administrators' page is only on the port of administrators."""

from pathlib import Path

from tests.clocks import HeldClock
from tests.harness import running

PATHS = ("/admin", "/admin/admin.js", "/admin/admin.css")


def test_the_page_contains_no_data_of_the_boards(tmp_path: Path) -> None:
    with running(tmp_path, HeldClock(), admin_on_public_port=True, require_auth_to_read=True) as server:
        for path in PATHS:
            assert "Main" not in server.client.get(path).text


def test_the_page_has_the_security_headers_of_the_board_page(tmp_path: Path) -> None:
    with running(tmp_path, HeldClock(), admin_on_public_port=True) as server:
        page, board = server.client.get("/admin"), server.client.get("/")
        for name in (
            "Content-Security-Policy",
            "X-Frame-Options",
            "Cross-Origin-Opener-Policy",
            "Cache-Control",
        ):
            assert page.headers[name] == board.headers[name]
        for path in PATHS:
            response = server.client.get(path, headers={"Origin": "https://elsewhere.example"})
            assert response.status_code == 200
            assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
            assert "Access-Control-Allow-Origin" not in response.headers
        for path in ("/admin/", "/admin/nothing", "/admin/admin.html", "/admin/..%2fpage.py"):
            assert server.client.get(path).status_code == 404
        assert server.client.post("/admin").status_code == 405
