"""How fast bedrooms are drawn, in scenes a second on one core (process time)."""

from __future__ import annotations

import time

from unit59.bedrooms.scenes import draw


def main(count: int = 2000) -> None:
    """Print the rate."""
    draw(range(64))
    began = time.process_time()
    draw(range(count))
    print(f"{count / (time.process_time() - began):.0f} scenes/s")


if __name__ == "__main__":
    main()
