"""Screenshots of a built site: `python -m tests.browser.shoot SITE OUT [PATH ...]`.

Each page at 360 and 1440 px, light and dark. Without paths: one page of each kind.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.serving import launch, serve

WIDTHS = {"phone": (360, 760), "desktop": (1440, 900)}


def page_kinds(site: Path) -> list[str]:
    """One page of each kind, from the addresses that the site has."""
    pages = sorted(path.parent.relative_to(site).as_posix() for path in site.rglob("index.html"))
    kinds = [r"\.", "models", "models/[^/]+", "models/[^/]+/[^/]+", r"models/[^/]+/[^/]+/\d+"]
    kinds += ["concepts", "concepts/[^/]+", "compare"]
    kinds += [
        "findings",
        "findings/[^/]+",
        "studies",
        "studies/models-compared",
        "studies/(?!models-compared)[^/]+",
    ]
    found = [next((page for page in pages if re.fullmatch(kind, page)), None) for kind in kinds]
    strip = next(iter(sorted(site.rglob("*-effect.webp"))), None)
    if strip:  # a unit with an effect
        found.append(f"{strip.parent.parent.relative_to(site).as_posix()}/{int(strip.name.split('-')[0])}")
    return [page for page in found if page is not None]


def shoot(page: Page, address: str, target: Path, *, whole: bool) -> None:
    """One picture of one page, with all of it loaded."""
    page.goto(address, wait_until="load")
    page.evaluate(
        "async () => { for (let y = 0; y < document.body.scrollHeight; y += 500)"
        " { scrollTo(0, y); await new Promise(done => setTimeout(done, 60)); } scrollTo(0, 0); }"
    )
    page.wait_for_timeout(500)
    page.screenshot(path=target, full_page=whole)


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("paths", nargs="*")
    parser.add_argument("--first-screen", action="store_true", help="only what shows without scrolling")
    parser.add_argument("--only", choices=[f"{w}-{s}" for w in WIDTHS for s in ("light", "dark")])
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright, serve(options.site) as root:
        browser = launch(playwright)
        for name, (width, height) in WIDTHS.items():
            for scheme in ("light", "dark"):
                if options.only not in (None, f"{name}-{scheme}"):
                    continue
                context = browser.new_context(
                    viewport={"width": width, "height": height},
                    color_scheme="dark" if scheme == "dark" else "light",
                )
                page = context.new_page()
                for path in options.paths or page_kinds(options.site):
                    slug = re.sub(r"[^\w.]+", "-", path).strip("-.") or "home"
                    target = options.out / f"{slug}-{name}-{scheme}.png"
                    shoot(
                        page,
                        f"{root}/{path}" if "?" in path else f"{root}/{path}/",
                        target,
                        whole=not options.first_screen,
                    )
                context.close()
        browser.close()


if __name__ == "__main__":
    main()
