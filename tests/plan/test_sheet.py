"""The shape of an exported plan is understood in either language."""

from __future__ import annotations

import pytest

from nts_sim.plan.sheet import BY_ID, COLUMNS, STATUSES, column_of, status_of
from nts_sim.words import languages, say, speaking


@pytest.mark.parametrize("language", languages())
def test_every_column_is_found_by_id_title_and_heading(language: str) -> None:
    with speaking(language):
        for column in COLUMNS:
            for title in (column.id, say(column.title_key), column.heading().upper()):
                assert column_of(title) is column


def test_titles_never_stand_for_two_columns() -> None:
    for language in languages():
        with speaking(language):
            assert len({column.heading() for column in COLUMNS}) == len(COLUMNS)
            assert len({say(column.title_key) for column in COLUMNS}) == len(COLUMNS)


def test_other_titles_are_no_columns() -> None:
    assert column_of("Colour") is None
    assert status_of("nearly") is None


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("DONE", "done"),
        ("đã hoàn thành", "done"),
        (" da hoan thanh ", "done"),
        ("Đang thực hiện", "under_way"),
        ("not_started", "not_started"),
        ("da huy", "cancelled"),
    ],
)
def test_status_in_any_case_with_or_without_diacritics(text: str, status: str) -> None:
    assert status_of(text) == status
    assert status in STATUSES


def test_what_is_to_fill_is_what_progress_needs() -> None:
    blank = {column.id for column in COLUMNS if column.to_fill}
    assert blank == {"status", "done_on", "done_quantity", "spent_bn_vnd", "remark", "person"}
    assert not BY_ID["run"].to_fill
