"""Painting a plan, from the walls forward: what is nearer hides what is behind it."""

from __future__ import annotations

from typing import Any

import numpy as np

from unit59.bedrooms.canvas import Canvas, ellipse, polygon, rectangle
from unit59.bedrooms.concepts import NUMBER
from unit59.bedrooms.layout import Plan
from unit59.foundation.arrays import Singles


def paint_room(canvas: Canvas, plan: Plan) -> None:
    """Paint everything that the plan names, then light it."""
    _shell(canvas, plan)
    _door(canvas, plan)
    _window(canvas, plan)
    _painting(canvas, plan)
    _rug(canvas, plan)
    _nightstand(canvas, plan)
    _bed(canvas, plan)
    _plant(canvas, plan)
    _light(canvas, plan)


def _towards_viewer(p: Plan, x: Any, y: Any, times: Any) -> tuple[Singles, Singles]:
    """A point of the back wall moved towards the viewer along its ray from the vanishing point."""
    return p.eye_x + (x - p.eye_x) * times, p.eye_y + (y - p.eye_y) * times


def _shade(colour: Singles, factor: Any) -> Singles:
    shaded: Singles = (colour * np.asarray(factor, np.float32)).astype(np.float32)
    return shaded


def _shell(canvas: Canvas, p: Plan) -> None:
    near = 5.0
    a, b, c, d = (
        _towards_viewer(p, x, y, near)
        for x, y in ((p.left, p.top), (p.right, p.top), (p.right, p.floor), (p.left, p.floor))
    )
    across = np.where(p.from_left, -0.1, 0.1).astype(np.float32)
    lit_left = np.where(p.from_left, 0.85, 0.97).astype(np.float32)[:, None]
    white = _shade(0.72 + 0.28 * p.wall, 0.99)
    canvas.paint(rectangle(-1, -1, 65, p.floor), white, NUMBER["ceiling"], down=0.12)
    floor = rectangle(-1, p.floor - 1, 65, 65)
    canvas.paint(floor, p.boards, NUMBER["floor"], down=0.3, across=across)
    canvas.paint(
        polygon(a, (p.left + 2, p.top), (p.left + 2, p.floor), d), _shade(p.wall, lit_left), NUMBER["wall"]
    )
    canvas.paint(
        polygon((p.right - 2, p.top), b, c, (p.right - 2, p.floor)),
        _shade(p.wall, 1.82 - lit_left),
        NUMBER["wall"],
    )
    across = np.where(p.from_left, -0.1, 0.1).astype(np.float32)
    back = rectangle(p.left, p.top, p.right, p.floor)
    canvas.paint(back, p.wall, NUMBER["wall"], down=-0.06, across=across)
    canvas.paint(
        rectangle(p.left, p.floor - 1.3, p.right, p.floor), _shade(0.5 + 0.5 * p.wall, 1.0), NUMBER["wall"]
    )


def _door(canvas: Canvas, p: Plan) -> None:
    """On a side wall, in perspective."""
    edge = np.where(p.door_side < 0, p.left, p.right)
    top = p.floor - 25
    times = 1.15
    far_top, far_foot = (_towards_viewer(p, edge, y, times) for y in (top, p.floor))
    near_top, near_foot = (_towards_viewer(p, edge, y, p.door_near) for y in (top, p.floor))
    for side in (-1, 1):
        corners = (near_top, far_top, far_foot, near_foot)
        shape = polygon(*(corners if side < 0 else (far_top, near_top, near_foot, far_foot)))
        canvas.paint(shape, p.door, NUMBER["door"], present=p.has_door & (p.door_side == side), down=-0.12)
    knob_x = far_top[0] * 0.72 + near_top[0] * 0.28
    knob = ellipse(knob_x, p.eye_y + 8, 0.7, 0.7)
    canvas.paint(knob, _shade(p.door, 0.45), NUMBER["door"], present=p.has_door)


def _window(canvas: Canvas, p: Plan) -> None:
    left, right, foot = p.window_x - p.window_half, p.window_x + p.window_half, p.window_y + p.window_high
    there, number = p.has_window, NUMBER["window"]
    white = np.full_like(p.wall, 0.95)
    canvas.paint(rectangle(left, p.window_y, right, foot), white, number, present=there)
    pane = rectangle(left + 1, p.window_y + 1, right - 1, foot - 1.2)
    canvas.paint(pane, p.sky, number, present=there, down=0.25)
    post = rectangle(p.window_x - 0.5, p.window_y, p.window_x + 0.5, foot)
    canvas.paint(post, white, number, present=there)
    for side in (-1, 1):
        outer = p.window_x + side * (p.window_half + 1.8)
        inner = outer - side * p.curtain_wide
        cloth = rectangle(
            np.minimum(outer, inner), p.window_y - 1.6, np.maximum(outer, inner), foot + p.curtain_long
        )
        canvas.paint(
            cloth, p.curtain, NUMBER["curtain"], present=p.has_curtain, down=-0.12, across=-0.24 * side
        )


def _painting(canvas: Canvas, p: Plan) -> None:
    left, right = p.painting_x - p.painting_half, p.painting_x + p.painting_half
    foot, there, number = p.painting_y + p.painting_high, p.has_painting, NUMBER["painting"]
    canvas.tint(rectangle(left, p.painting_y + 1, right + 1, foot + 1), np.full_like(p.wall, 0.85), 2, there)
    canvas.paint(rectangle(left, p.painting_y, right, foot), _shade(p.frame, 0.75), number, present=there)
    inside = rectangle(left + 1, p.painting_y + 1, right - 1, foot - 1)
    canvas.paint(inside, _shade(0.45 + 0.55 * p.painting, 1), number, present=there)
    line = p.painting_y + p.horizon * p.painting_high
    canvas.paint(rectangle(left + 1, line, right - 1, foot - 1), p.painting, number, present=there)


def _rug(canvas: Canvas, p: Plan) -> None:
    back = p.floor + 6
    narrow = p.rug_half * 0.8

    def rug(inset: float) -> Any:
        return polygon(
            (p.rug_x - narrow + inset, back + inset),
            (p.rug_x + narrow - inset, back + inset),
            (p.rug_x + p.rug_half - inset, p.rug_end - inset),
            (p.rug_x - p.rug_half + inset, p.rug_end - inset),
        )

    canvas.paint(rug(0), _shade(0.35 + 0.65 * p.rug, 1), NUMBER["rug"], present=p.has_rug)
    canvas.paint(rug(1.5), p.rug, NUMBER["rug"], present=p.has_rug, down=0.15)


def _nightstand(canvas: Canvas, p: Plan) -> None:
    x = p.bed_x + p.side * (p.bed_half * 0.92 + 4.6)
    foot = p.floor + 3.2
    top = foot - p.nightstand_high
    there = p.has_nightstand
    canvas.tint(ellipse(x, foot, 5.5, 1.6), np.full_like(p.wall, 0.7), 2, there)
    canvas.paint(
        rectangle(x - 4, top, x + 4, foot), p.nightstand, NUMBER["nightstand"], present=there, down=-0.2
    )
    canvas.paint(
        rectangle(x - 4.4, top - 0.2, x + 4.4, top + 1.2),
        _shade(p.nightstand, 1.15),
        NUMBER["nightstand"],
        present=there,
    )
    drawer = rectangle(x - 2.9, top + 2.6, x + 2.9, top + 5)
    canvas.paint(drawer, _shade(p.nightstand, 0.8), NUMBER["nightstand"], present=there)
    size, number = p.lamp_size, NUMBER["lamp"]
    shade_foot = top - 3.4
    shade_top = shade_foot - size * 1.15
    canvas.paint(rectangle(x - 0.6, shade_foot, x + 0.6, top), _shade(p.pot, 0.8), number, present=p.has_lamp)
    canvas.paint(rectangle(x - 1.9, top - 1.1, x + 1.9, top), _shade(p.pot, 0.8), number, present=p.has_lamp)
    shade = polygon(
        (x - size * 0.6, shade_top),
        (x + size * 0.6, shade_top),
        (x + size, shade_foot),
        (x - size, shade_foot),
    )
    canvas.paint(shade, p.lamp, number, present=p.has_lamp, down=0.1)


def _bed(canvas: Canvas, p: Plan) -> None:
    number, x, half = NUMBER["bed"], p.bed_x, p.bed_half
    narrow = half * 0.86
    shadow = rectangle(x - half - 1.5, p.bed_back + 3, x + half + 1.5, p.bed_foot + 1)
    canvas.tint(shadow, np.full_like(p.wall, 0.62), 4)
    head = rectangle(x - narrow - 0.8, p.headboard, x + narrow + 0.8, p.bed_back + 3, radius=1.5)
    canvas.paint(head, p.frame, number, down=-0.2)
    fold = p.bed_back + p.fold * (p.bed_front - p.bed_back)
    at_fold = narrow + (half - narrow) * p.fold
    top = polygon(
        (x - narrow, p.bed_back), (x + narrow, p.bed_back), (x + at_fold, fold + 1), (x - at_fold, fold + 1)
    )
    canvas.paint(top, p.sheet, number, down=0.05)
    for side in (-1, 1):
        _pillow(canvas, p, side * narrow * 0.47, narrow * 0.43, p.two_pillows)
    _pillow(canvas, p, 0, narrow * 0.55, ~p.two_pillows)
    spread = polygon(
        (x - at_fold, fold), (x + at_fold, fold), (x + half, p.bed_front), (x - half, p.bed_front)
    )
    canvas.paint(spread, p.blanket, number, down=0.18)
    border = polygon(
        (x - at_fold, fold),
        (x + at_fold, fold),
        (x + at_fold + 0.2, fold + 1.6),
        (x - at_fold - 0.2, fold + 1.6),
    )
    canvas.paint(border, _shade(0.6 * p.sheet + 0.4 * p.blanket, 1), number)
    face = rectangle(x - half, p.bed_front, x + half, p.bed_foot)
    canvas.paint(face, _shade(p.blanket, 0.78), number, down=-0.2)
    _cushion(canvas, p)


def _pillow(canvas: Canvas, p: Plan, offset: Any, half: Any, there: Any) -> None:
    x, foot = p.bed_x + offset, p.bed_back + 2.6
    shape = rectangle(x - half, foot - p.pillow_high, x + half, foot, radius=1.8)
    canvas.tint(rectangle(x - half, foot - 1, x + half, foot + 1), np.full_like(p.wall, 0.88), 1.5, there)
    canvas.paint(shape, p.pillow, NUMBER["pillow"], present=there, down=-0.14)


def _cushion(canvas: Canvas, p: Plan) -> None:
    """Round, or a square that stands on its corner."""
    x, y, size, number = p.cushion_x, p.cushion_y, p.cushion_size, NUMBER["cushion"]
    canvas.tint(ellipse(x, y + size * 0.8, size, 1.4), np.full_like(p.wall, 0.75), 2, p.has_cushion)
    circle, diamond = p.has_cushion & p.cushion_round, p.has_cushion & ~p.cushion_round
    canvas.paint(ellipse(x, y, size * 0.92, size * 0.86), p.cushion, number, present=circle, down=-0.3)
    square = polygon((x, y - size), (x + size * 1.1, y), (x, y + size), (x - size * 1.1, y))
    canvas.paint(square, p.cushion, number, present=diamond, down=-0.3)


def _plant(canvas: Canvas, p: Plan) -> None:
    x = p.bed_x - p.side * (p.bed_half + 5.2)
    foot, size, there, number = p.floor + 9, p.plant_size, p.has_plant, NUMBER["plant"]
    canvas.tint(ellipse(x, foot, 4.5, 1.5), np.full_like(p.wall, 0.7), 2, there)
    top = foot - 5.5 * size
    for turn, long in ((-0.95, 5.2), (0.95, 5.2), (-0.45, 6.6), (0.45, 6.6), (0.0, 7.4)):
        angle = turn + p.leaves
        reach = long * size
        leaf = ellipse(x + np.sin(angle) * reach, top - np.cos(angle) * reach, 1.9 * size, reach, angle)
        canvas.paint(leaf, _shade(p.leaf, 1.2 - 0.3 * abs(turn)), number, present=there, down=-0.3)
    pot = polygon((x - 3 * size, top), (x + 3 * size, top), (x + 2.2 * size, foot), (x - 2.2 * size, foot))
    canvas.paint(pot, p.pot, number, present=there, across=-0.25)


def _light(canvas: Canvas, p: Plan) -> None:
    """The lamp's warm circle, and the room's light as a whole."""
    x = p.bed_x + p.side * (p.bed_half * 0.92 + 4.6)
    y = p.floor - p.nightstand_high - 2.6
    warm = np.broadcast_to(np.array([1.16, 1.08, 0.94], np.float32), p.wall.shape)
    canvas.tint(ellipse(x, y, 7, 7), warm, 12, p.has_lamp)
    tone = np.stack([p.light * (1 + p.warmth), p.light, p.light * (1 - p.warmth)], axis=1)
    canvas.rgb *= tone[:, :, None, None]
