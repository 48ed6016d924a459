"""Files that others publish: where to get them, under which licence, and how they are recognised by name."""

from __future__ import annotations

import os
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
        "https://github.com/CSAILVision/gandissect (files: http://gandissect.csail.mit.edu/models/)",
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
        r"(en|de)coder_epoch_40\.pth|labels\.json",
        "Unified Parsing segmenter (UPerNet, ResNet-50)",
        "https://github.com/CSAILVision/unifiedparsing "
        "(files: http://netdissect.csail.mit.edu/data/segmodel/upp-resnet50-upernet/)",
        "BSD 3-Clause (the repository's)",
    ),
    Published(
        r"(en|de)coder_epoch_(20|25|30|50)\.pth",
        "ADE20K segmenter of semantic-segmentation-pytorch",
        "https://github.com/CSAILVision/semantic-segmentation-pytorch "
        "(files: http://sceneparsing.csail.mit.edu/model/pytorch/)",
        "BSD 3-Clause (the repository's)",
    ),
)


def published(name: str) -> Published | None:
    """What is known of a published file of this name."""
    return next((entry for entry in PUBLISHED if re.fullmatch(entry.pattern, name)), None)


def how_to_get(*paths: Path, source: str = "", licence: str = "") -> str:
    """What to do about weights that are missing: the files' names, page and licence, and where to put them.

    Args:
        paths: of one origin, in one folder.
        source: where they are published, if it is known better than by their names.
        licence: likewise.
    """
    known = published(paths[0].name)
    source = source or (f"{known.what}, {known.page}" if known else "")
    licence = licence or (known.licence if known else "")
    folder, *_ = places = [Path(os.path.normpath(path)) for path in paths]
    said = f"{', '.join(map(str, places))}: there is no such file."
    if not source:
        return said
    terms = f" Licence: {licence}." if licence else ""
    names = " and ".join(path.name for path in paths)
    return f"{said} Where to get {names}: {source}.{terms} Put it into {folder.parent.absolute()}."
