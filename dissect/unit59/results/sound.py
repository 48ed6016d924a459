"""What the tables of results must hold beside their columns: units of the layer, concepts with names."""

from __future__ import annotations

import polars as pl

from unit59.results.record import ResultsError, control_character


def check_units(place: str, table: pl.DataFrame, units: int, key: tuple[str, ...] = ()) -> None:
    """Refuse a table whose units are not a layer's.

    Args:
        place: the file, for the message.
        table: has the column `unit`.
        units: of the layer.
        key: columns that name a row, where no two rows may be of one name.

    Raises:
        ResultsError: names file, column and row.
    """
    for row, unit in enumerate(table["unit"]):
        if unit is None or not 0 <= unit < units:
            raise ResultsError(
                f"{place}: column 'unit', row {row}: {unit} is no unit of a layer of {units}. "
                "Dissect this model again."
            )
    if key and (repeats := table.select(key).is_duplicated().arg_true()).len():
        named = ", ".join(f"{name} {table[name][repeats[0]]!r}" for name in key)
        raise ResultsError(
            f"{place}: column {key[-1]!r}, row {repeats[0]}: {named} stands there more than once. "
            "Dissect this model again."
        )


def check_concepts(place: str, table: pl.DataFrame) -> None:
    """Refuse concepts without a number or name of their own.

    Raises:
        ResultsError: names file, column and row.
    """
    seen: set[object] = set()
    for row, (number, label, plane) in enumerate(table.select("concept", "label", "plane").iter_rows()):
        fault = None
        if number is None or number < 1 or number in seen:
            fault = "concept", f"{number} is no number of its own from 1 on"
        elif not label or control_character(label) is not None:
            fault = "label", f"{label!r} is no name"
        elif plane is None or control_character(plane) is not None:
            fault = "plane", f"{plane!r} is no name"
        elif (plane, label) in seen:
            fault = "label", f"{label!r} stands there more than once in the plane {plane!r}"
        if fault:
            raise ResultsError(
                f"{place}: column {fault[0]!r}, row {row}: {fault[1]}. Dissect this model again."
            )
        seen |= {number, (plane, label)}
