"""`scoreboard`, and `python -m scoreboard`."""

from scoreboard.cli import main

if __name__ == "__main__":
    main()
