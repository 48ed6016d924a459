"""Files that others publish: where to get them, under which licence, and how they are recognised by name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_NVIDIA = "https://github.com/NVlabs"
_CC = "CC BY-NC 4.0"
_NVIDIA_LICENCE = "NVIDIA Source Code License (non-commercial)"


@dataclass(frozen=True)
class Published:
    """A family of files with one origin.

    Attributes:
        pattern: their names.
        what: in a few words.
        page: where their authors publish them.
        licence: of the weights.
    """

    pattern: str
    what: str
    page: str
    licence: str


PUBLISHED = (
    Published(
        r"karras2019stylegan-(bedrooms|cats|cars|celebahq|ffhq)-\d+x\d+\.pkl",
        "StyleGAN, official weights",
        f"{_NVIDIA}/stylegan",
        _CC,
    ),
    Published(
        r"karras2018iclr-.+-\d+x\d+\.pkl",
        "Progressive GAN, official weights",
        "https://github.com/tkarras/progressive_growing_of_gans",
        _CC,
    ),
    Published(
        r"(bedroom|churchoutdoor|conferenceroom|kitchen|diningroom|livingroom|restaurant)_lsun\.pth"
        r"|proggan_[a-z]+-[0-9a-f]{8}\.pth",
        "Progressive GAN converted by GAN Dissection",
        "https://github.com/CSAILVision/gandissect",
        f"derived from NVIDIA's weights ({_CC})",
    ),
    Published(
        r"(ffhq|metfaces|afhqcat|afhqdog|afhqwild|cifar10|brecahad)\.pkl",
        "StyleGAN2-ADA, official weights",
        f"{_NVIDIA}/stylegan2-ada-pytorch",
        _NVIDIA_LICENCE,
    ),
    Published(
        r"stylegan3-[tr]-.+\.pkl",
        "StyleGAN3, official weights",
        f"{_NVIDIA}/stylegan3",
        _NVIDIA_LICENCE,
    ),
    Published(
        r"stylegan2-.+\.pkl",
        "StyleGAN2, official weights as published with StyleGAN3",
        f"{_NVIDIA}/stylegan3",
        _NVIDIA_LICENCE,
    ),
    Published(
        r"(edges2shoes|sat2map|map2sat|facades_label2photo|day2night)\.pth",
        "pix2pix, the authors' weights",
        "https://github.com/junyanz/pytorch-CycleGAN-and-pix2pix",
        "no licence is stated for the weights (the code: BSD)",
    ),
    Published(
        r"(en|de)coder_epoch_40\.pth",
        "Unified Parsing segmenter (UPerNet, ResNet-50)",
        "https://github.com/CSAILVision/unifiedparsing",
        "no licence is stated for the weights",
    ),
)


def published(name: str) -> Published | None:
    """What is known of a published file of this name."""
    return next((entry for entry in PUBLISHED if re.fullmatch(entry.pattern, name)), None)


def how_to_get(path: Path) -> str:
    """What to do about weights that are missing: the file's name, page and licence, and where to put it."""
    known = published(path.name)
    if known is None:
        return f"{path}: there is no such file."
    return (
        f"{path}: there is no such file. {path.name} ({known.what}) is published at {known.page}; "
        f"licence: {known.licence}. Download it and put it at {path.absolute()}."
    )
