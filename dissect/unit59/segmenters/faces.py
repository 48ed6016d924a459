"""Face parts from a landmark mesh and a person matte (two small models of MediaPipe, run by LiteRT).

The mesh gives 468 points; polygons through them are filled over the matte. `unit59 fetch faces` brings
the two model files.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor

from unit59.foundation.arrays import Singles
from unit59.segmenters.base import Concept, Segmenter, SegmenterError

MESH_FILE, MATTE_FILE = "face_landmark.tflite", "selfie_segmentation.tflite"
MESH_SIZE, MATTE_SIZE = 192, 256
FIRST_REGION, NEXT_REGION = 1.25, 1.5  # edge of the region of interest over picture / over the face
MESH_RUNS = 3
FACE_SCORE = 0.5

HAIR, NECK, SKIN, NOSE, BROW, EYE, LIPS, MOUTH = range(1, 9)


def _points(text: str) -> list[int]:
    return [int(number) for number in text.split()]


OVAL = _points(
    "10 338 297 332 284 251 389 356 454 323 361 288 397 365 379 378 400 377 152 148 176 149 150 136 172 58 "
    "132 93 234 127 162 21 54 103 67 109"
)
#: The oval's lower half, ear to ear over the chin.
JAW = OVAL[8:29]
CHIN = 152
LEFT_EYE, RIGHT_EYE = (263, 362), (33, 133)
#: What is filled, in this order: later polygons cover earlier ones.
POLYGONS: list[tuple[int, list[int]]] = [
    (SKIN, OVAL),
    (NOSE, _points("168 193 245 188 174 217 126 142 129 98 97 2 326 327 358 371 355 437 399 412 465 417")),
    (BROW, _points("276 283 282 295 285 336 296 334 293 300")),
    (BROW, _points("46 53 52 65 55 107 66 105 63 70")),
    (EYE, _points("263 249 390 373 374 380 381 382 362 398 384 385 386 387 388 466")),
    (EYE, _points("33 7 163 144 145 153 154 155 133 173 157 158 159 160 161 246")),
    (LIPS, _points("61 146 91 181 84 17 314 405 321 375 291 409 270 269 267 0 37 39 40 185")),
    (MOUTH, _points("78 95 88 178 87 14 317 402 318 324 308 415 310 311 312 13 82 81 80 191")),
]


class Faces(Segmenter):
    """Eight face parts, and nothing (0) for background and where no face is found.

    Args:
        folder: holds the two model files.
        size: edge of the label map in pixels.

    Raises:
        SegmenterError: a model file or the package that runs it is missing.
    """

    licence = "Apache-2.0 (models of MediaPipe 0.10.21)"
    limits = (
        "The mesh draws every face part whenever it finds a face, also under sunglasses, a hand or in "
        "profile: an eye cannot disappear. Hair and hat are one class, neck and clothes another. "
        "There is no ground truth for these pictures."
    )
    planes = ("part",)
    concepts = (
        Concept("hair or hat", "part", "#8d5a2b"),
        Concept("neck or clothes", "part", "#5f7d95"),
        Concept("skin", "part", "#e2a37f"),
        Concept("nose", "part", "#d98032"),
        Concept("brow", "part", "#6b5b95"),
        Concept("eye", "part", "#1f9e89"),
        Concept("lips", "part", "#e0567a"),
        Concept("mouth interior", "part", "#9b1c31"),
    )

    def __init__(self, folder: Path = Path("weights/faces"), size: int = 128) -> None:
        self.size = size
        self.files = (folder / MESH_FILE, folder / MATTE_FILE)
        self._mesh = _interpreter(self.files[0])
        self._matte = _interpreter(self.files[1])

    def segment(self, images: Tensor) -> Tensor:
        """See `Segmenter.segment`; the result is [N, 1, size, size]."""
        pictures = F.interpolate(
            images.detach().float().cpu().clamp(-1, 1),
            size=(MATTE_SIZE, MATTE_SIZE),
            mode="bilinear",
            align_corners=False,
        )
        labels = [self._segment_one(picture.permute(1, 2, 0).numpy() * 0.5 + 0.5) for picture in pictures]
        return torch.from_numpy(np.stack(labels)).long()[:, None]

    def _segment_one(self, picture: Singles) -> NDArray[np.uint8]:
        points = self.landmarks(picture)
        labels = np.zeros((self.size, self.size), np.uint8)
        if points is None:
            return labels
        points = points * (self.size / MATTE_SIZE)
        person = _shrink(_run(self._matte, picture)[0].reshape(MATTE_SIZE, MATTE_SIZE), self.size) >= 0.5
        below = _below_jaw(points, self.size)
        labels[person & ~below] = HAIR
        labels[person & below] = NECK
        canvas = Image.fromarray(labels)
        draw = ImageDraw.Draw(canvas)
        for number, polygon in POLYGONS:
            draw.polygon([(float(x), float(y)) for x, y in points[polygon]], fill=number)
        return np.asarray(canvas)

    def landmarks(self, picture: Singles) -> Singles | None:
        """The mesh's points [468,2] as (x, y) in the picture's pixels ([256,256,3], 0..1); None: no face."""
        centre = np.array([MATTE_SIZE / 2, MATTE_SIZE / 2])
        edge, angle, points, score = FIRST_REGION * MATTE_SIZE, 0.0, None, 0.0
        for _ in range(MESH_RUNS):
            crop, to_picture = _crop(picture, centre, edge, angle)
            outputs = _run(self._mesh, crop)
            raw = next(output for output in outputs if output.size == 468 * 3)
            logit = next(output for output in outputs if output.size == 1)
            score = float(1 / (1 + np.exp(-logit.reshape(-1)[0].astype(np.float64))))
            points = to_picture(raw.reshape(468, 3)[:, :2].astype(np.float64))
            low, high = points.min(axis=0), points.max(axis=0)
            centre, edge = (low + high) / 2, NEXT_REGION * float((high - low).max())
            eyes = points[list(LEFT_EYE)].mean(axis=0) - points[list(RIGHT_EYE)].mean(axis=0)
            angle = float(np.arctan2(eyes[1], eyes[0]))
        return points.astype(np.float32) if points is not None and score >= FACE_SCORE else None


def _interpreter(path: Path) -> Any:
    if not path.is_file():
        raise SegmenterError(f"{path}: the face segmenter's model is missing. Run `unit59 fetch faces`.")
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        raise SegmenterError(
            "the segmenter 'faces' needs LiteRT. Install it with `pip install 'unit59[faces]'`."
        ) from None
    with _hushed():
        interpreter = Interpreter(model_path=str(path), num_threads=1)
        interpreter.allocate_tensors()
    return interpreter


@contextmanager
def _hushed() -> Iterator[None]:
    """LiteRT's native code greets on standard error, in the middle of our own messages; errors are raised."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _run(interpreter: Any, picture: Singles) -> list[Singles]:
    """All outputs for one picture [h,w,3] in [0,1]."""
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], picture[None].astype(np.float32))
    interpreter.invoke()
    return [interpreter.get_tensor(output["index"]) for output in interpreter.get_output_details()]


def _crop(picture: Singles, centre: NDArray[np.float64], edge: float, angle: float) -> tuple[Singles, Any]:
    """The square region of the picture at the mesh's size, and the map from its points to the picture's."""
    scale = edge / MESH_SIZE
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])

    def to_picture(points: NDArray[np.float64]) -> NDArray[np.float64]:
        moved: NDArray[np.float64] = (points - MESH_SIZE / 2) @ rotation.T * scale + centre
        return moved

    steps = np.arange(MESH_SIZE) + 0.5
    places = to_picture(np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2))
    grid = torch.from_numpy(places / (MATTE_SIZE / 2) - 1).float().reshape(1, MESH_SIZE, MESH_SIZE, 2)
    source = torch.from_numpy(picture).permute(2, 0, 1)[None]
    crop = F.grid_sample(source, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    return crop[0].permute(1, 2, 0).numpy(), to_picture


def _shrink(matte: Singles, size: int) -> Singles:
    """The matte at the label map's size, by averaging."""
    shrunk: Singles = F.adaptive_avg_pool2d(torch.from_numpy(matte)[None, None], (size, size))[0, 0].numpy()
    return shrunk


def _below_jaw(points: Singles, size: int) -> NDArray[np.bool_]:
    """Where a pixel lies under the jaw line; beside the face, under the chin's height."""
    jaw = points[JAW]
    jaw = jaw[np.argsort(jaw[:, 0], kind="stable")]
    columns = np.arange(size) + 0.5
    line = np.interp(columns, jaw[:, 0], jaw[:, 1])
    outside = (columns < jaw[0, 0]) | (columns > jaw[-1, 0])
    line[outside] = points[CHIN, 1]
    below: NDArray[np.bool_] = (np.arange(size)[:, None] + 0.5) > line[None, :]
    return below
