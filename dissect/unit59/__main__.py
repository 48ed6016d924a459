"""The command `unit59` from its first moment on: how it ends is settled before anything large is imported."""

from __future__ import annotations

from unit59.foundation.ending import ending_in_order


def main() -> None:
    """Run the command line; Ctrl-C and SIGTERM end it with one line and status 130 or 143."""
    with ending_in_order():
        from unit59 import cli

        cli.main()


if __name__ == "__main__":
    main()
