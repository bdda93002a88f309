"""Words in a picture stand where no curve runs, if there is such a place."""

import pytest

from rnn_doctor.render.html.charts.rooms import Place, Room, freest

HIGH, LOW, AWAY = Room(40, 0.5, 1.0), Room(90, 0.5, 1.0), Room(40, 0.0, 0.3)


@pytest.mark.parametrize(
    ("curve", "room", "strokes"),
    [
        ([(0.0, 70.0), (1.0, 70.0)], HIGH, 0),
        ([(0.0, 35.0), (1.0, 35.0)], LOW, 0),
        ([(0.5, 0.0), (1.0, 100.0)], AWAY, 0),
        ([(0.7, 0.0), (0.7, 200.0)], AWAY, 0),
        ([(0.7, 38.0)], LOW, 0),
        ([(0.0, 35.0), (0.1, 35.0), (0.6, 90.0), (0.61, 35.0), (0.9, 35.0)], HIGH, 2),
    ],
    ids=["below", "through the first", "steep, between its points", "upright", "a lone place", "through all"],
)
def test_the_first_room_that_fewest_strokes_run_through(curve: list[Place], room: Room, strokes: int) -> None:
    assert freest([HIGH, LOW, AWAY], [curve], 100) == (room, strokes)


def test_room_outside_the_picture_is_taken_only_where_there_is_no_other() -> None:
    assert freest([Room(5, 0, 1), HIGH], [[(0.6, 38.0)]], 100) == (HIGH, 1)
    assert freest([Room(5, 0, 1), Room(200, 0, 1)], [], 100) == (Room(5, 0, 1), 0)
