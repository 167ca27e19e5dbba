"""Data sets and CSV files."""

import builtins
import math

import pytest

from nn.datasets import DATASETS, DataError, read_csv, split


@pytest.mark.parametrize("name", ["moons", "circles", "spirals", "xor"])
def test_a_data_set_has_the_samples_asked_for_and_depends_on_the_seed_only(name):
    X, y = DATASETS[name](40, noise=0.05, seed=3)
    assert len(X) == len(y) == 40
    assert {len(x) for x in X} == {2}
    assert sorted(y) == [0] * 20 + [1] * 20
    assert {type(v) for x in X for v in x} == {float}
    assert DATASETS[name](40, noise=0.05, seed=3) == (X, y)
    assert DATASETS[name](40, noise=0.05, seed=4)[0] != X


def test_digits_are_images_of_64_pixels_with_their_digit():
    pytest.importorskip("sklearn", reason="the digits are scikit-learn's")
    X, y = DATASETS["digits"](300, seed=1)
    assert len(X) == len(y) == 300
    assert {len(x) for x in X} == {64}
    assert (min(map(min, X)), max(map(max, X))) == (0.0, 1.0)
    assert sorted(set(y)) == list(range(10))
    assert DATASETS["digits"](300, seed=1) == (X, y)
    assert DATASETS["digits"](300, seed=2)[1] != y
    with pytest.raises(DataError, match="there are 1797 digits, not 2000"):
        DATASETS["digits"](2000)


def test_spirals_without_noise_are_two_turns_opposite_each_other():
    for (x0, x1), label in zip(*DATASETS["spirals"](50, noise=0.0), strict=True):
        radius = math.hypot(x0, x1)
        angle = 2 * math.pi * radius + math.pi * label
        assert (x0, x1) == pytest.approx((radius * math.cos(angle), radius * math.sin(angle)))


def test_without_scikit_learn_moons_say_what_to_install(monkeypatch):
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name.split(".")[0] == "sklearn":
            raise ModuleNotFoundError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ModuleNotFoundError, match=r'scikit-learn: python -m pip install "\.\[demo\]"'):
        DATASETS["moons"]()
    assert len(DATASETS["spirals"](4)[0]) == 4


def test_split_uses_every_sample_once():
    X, y = [[float(i)] for i in range(11)], list(range(11))
    X1, y1, X2, y2 = split(X, y, 0.3, seed=1)
    assert (len(X1), len(X2)) == (8, 3)
    assert sorted(X1 + X2) == X
    assert [[float(i)] for i in y1 + y2] == X1 + X2
    assert split(X, y, 0.3, seed=2)[1] != y1
    with pytest.raises(ValueError, match="leaves none of 1 samples"):
        split([[1.0]], [1], 0.9)
    with pytest.raises(ValueError, match=r"below 1, got 1\.5"):
        split(X, y, 1.5)


def write(tmp_path, content):
    path = tmp_path / "data.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "content",
    [
        "1,2,0\n3,4,1\n", "1,2,0\r\n3,4,1", "\ufeff1,2,0\n3,4,1\n", " 1 , 2,0\n\n\n3,+4e0,1\n,,\n",
        '"1","2","0"\n3,4,1\n',
    ],
)  # fmt: skip
def test_numbers_are_read(content, tmp_path):
    table = read_csv(write(tmp_path, content))
    assert (table.X, table.y) == ([[1.0, 2.0], [3.0, 4.0]], [0.0, 1.0])
    assert table.columns == ["column 1", "column 2", "column 3"]


def test_a_header_names_the_columns_and_rows_are_those_of_the_file(tmp_path):
    table = read_csv(write(tmp_path, "width, height,label\n\n1,2,0\n\n3,4,1\n"))
    assert table.columns == ["width", "height", "label"]
    assert table.rows == [3, 5]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "empty, no rows"),
        ("\n\n , \n", "empty, no rows"),
        ("a,b\n", "row 1 names the columns, and no row of numbers follows"),
        ("1\n2\n", "row 1 has 1 column; needed are features and a label"),
        ("1;2\n3;4\n", "row 1 has 1 column; needed are features and a label, separated by commas"),
        ("a,b,c\n1,2,0\n1,2\n", "row 3, column 3 (c) is missing: the row has 2 of 3 columns"),
        ("a,b\n1,2\n1,2,3\n", "row 3, column 3 is one too many: there are 2"),
        ("a,b\n1,2\n1,two\n", "row 3, column 2 (b) is 'two' where a number belongs"),
        ("1,2\nx,2\n", "row 2, column 1 (column 1) is 'x' where a number belongs"),
        ("1,b\n1,2\n", "row 1, column 2 (column 2) is 'b' where a number belongs"),
        ("a,b\n1,2\n\n,2\n", "row 4, column 1 (a) is empty where a number belongs"),
        ("a,b\n1,nan\n", "row 2, column 2 (b) is 'nan', not a finite number"),
        ("a,b\n1,1e999\n", "row 2, column 2 (b) is '1e999', not a finite number"),
        ("a,b\n1,1_000\n", "row 2, column 2 (b) is '1_000' where a number belongs"),
        ("a,b\n1,0x10\n", "row 2, column 2 (b) is '0x10' where a number belongs"),
        (b"a,b\n1,\xff\n", "is not text in UTF-8"),
        (b"a,b\n1,2\n1,\x002\n", "row 3"),
        ('a,b\n1,2\n"1,2\n', "row 3: unexpected end of data"),
        ("a,b\n1," + "9" * 200_000 + "\n", "row 2: field larger than field limit"),
    ],
)
def test_a_malformed_file_is_named_with_row_and_column(content, message, tmp_path):
    path = write(tmp_path, content)
    with pytest.raises(DataError) as error:
        read_csv(path)
    assert str(error.value).startswith(f"{path}: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there_or_a_folder_is_named(tmp_path):
    with pytest.raises(DataError, match=r"none\.csv: No such file"):
        read_csv(tmp_path / "none.csv")
    with pytest.raises(DataError, match="Is a directory"):
        read_csv(tmp_path)
