from tests.derive.logs import log, lstm, value_of


def test_cells_are_told_from_layers() -> None:
    run = log(lstm(0, "layer"), lstm(1, "cell", kind="LSTMCell"))
    assert value_of("is_cell", run, "layer") is False
    assert value_of("is_cell", run, "cell") is True


def test_dropout_of_one_layer() -> None:
    run = log(lstm(0, "one", dropout=0.5), lstm(1, "two", dropout=0.5, num_layers=2), lstm(2, "none"))
    found = [value_of("dropout_single_layer", run, name) for name in ("one", "two", "none")]
    assert found == [True, False, False]
