"""Tables: what people have is read, and what is wrong is named with its row and column."""

import io
import math

import pytest

from nn.cells import MISSING
from nn.datasets import DataError, read_table
from nn.tables import Feature, read_samples


def table(content, **options):
    return read_table(io.BytesIO(content if isinstance(content, bytes) else content.encode()), **options)


# --- what is read -----------------------------------------------------------------------------------------------------

ROWS = [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize(
    "content",
    [
        "1,2,0\n3,4,1\n", "1,2,0\r\n3,4,1", "1,2,0\r3,4,1\r", "\ufeff1,2,0\n3,4,1\n", " 1 , 2,0\n\n\n3,+4e0,1\n,,\n",
        '"1","2","0"\n3,4,1\n', "1;2;0\n3;4;1\n", "1\t2\t0\n3\t4\t1\n", "1  2 0 \n  3 4   1\n", "1,2,0,\n3,4,1,\n",
        "# measured in May\n1,2,0  # by hand\n# and\n3,4,1\n", "1, 2, 0\n3, 4, 1\n", "1;2,0;0\n3;4;1\n",
    ],
)  # fmt: skip
def test_numbers_are_read_however_they_are_separated(content):
    read = table(content)
    assert (read.X, read.y, read.classes) == (ROWS, [0, 1], ["0", "1"])
    assert (read.columns, read.target) == (["column 1", "column 2"], "column 3")


@pytest.mark.parametrize(
    ("encoding", "noted"),
    [
        ("utf-8", []), ("utf-8-sig", []), ("utf-16", []), ("utf-16-le", []), ("utf-16-be", []),
        ("latin-1", ["data.csv is not in UTF-8, and was read as Latin-1"]),
        ("cp1252", ["data.csv is not in UTF-8, and was read as Latin-1"]),
    ],
)  # fmt: skip
def test_text_is_read_in_the_encodings_that_people_have(encoding, noted, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name, cost = "größe", "ä" if encoding == "latin-1" else "€"
    (tmp_path / "data.csv").write_bytes(f"{name},x,colour\n1,2,grün\n3,4,{cost}\n".encode(encoding))
    read = read_table("data.csv")
    assert (read.X, read.columns, read.classes) == (ROWS, [name, "x"], sorted(["grün", cost]))
    assert read.notes == noted


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["setosa", "virginica", "setosa"], ["setosa", "virginica"]),
        (["yes", "no", "no"], ["no", "yes"]),
        (["True", "False", "True"], ["False", "True"]),
        (["7", "-3", "10"], ["-3", "7", "10"]),
        (["2.0", "1", "1.0"], ["1", "2"]),
        (["+", "-", "+"], ["+", "-"]),
        (['"red, dark"', "blue", "blue"], ["blue", "red, dark"]),
        (['"a ""b"""', "b", "b"], ['a "b"', "b"]),
        (['"two\nlines"', "b", "b"], ["b", "two\nlines"]),
    ],
)
def test_labels_of_any_kind_become_classes_with_their_names(labels, classes):
    read = table("a,b,label\n" + "".join(f"{i},{i * i},{label}\n" for i, label in enumerate(labels)))
    assert read.classes == classes
    import csv

    names = [next(csv.reader(io.StringIO(label)))[0].removesuffix(".0") for label in labels]
    assert [classes[int(c)] for c in read.y] == names
    assert read.rows == [2, 3, 4] if "\n" not in labels[0] else [2, 4, 5]


def test_a_decimal_comma_is_read_where_it_does_not_separate():
    assert table("a;b;y\n1,5;2;0\n,5;-3,25e1;1\n").X == [[1.5, 2.0], [0.5, -32.5]]
    assert table("a\tb\ty\n1,5\t2\t0\n3\t4\t1\n").X == [[1.5, 2.0], [3.0, 4.0]]
    with pytest.raises(DataError, match=r"row 2, column 1 \(a\) is '1,5' where a number belongs"):
        table("a;b;y\n1,5;2.5;0\n3;4;1\n")


@pytest.mark.parametrize("content", [",a,b,y\n0,1,2,0\n1,3,4,1\n", "Unnamed: 0,a,b,y\n5,1,2,0\n9,3,4,1\n",
    "Unnamed: 0.1,Unnamed: 0,a,b,y\n0,0,1,2,0\n1,1,3,4,1\n", '"a" "b" "y"\n"r1" 1 2 0\n"r2" 3 4 1\n'])  # fmt: skip
def test_the_index_that_pandas_or_r_write_is_left_out_and_that_is_said(content):
    read = table(content)
    assert (read.X, read.columns) == (ROWS, ["a", "b"])
    assert "no name" in read.notes[0]
    assert "left out" in read.notes[0]


def test_positions_in_messages_are_those_of_the_file():
    with pytest.raises(DataError, match=r"row 3, column 3 \(b\) is 'x' where a number belongs"):
        table(",a,b,y\n0,1,2,0\n1,3,x,1\n")
    with pytest.raises(DataError, match=r"row 3, column 2 \(b\) is 'x' where a number belongs"):
        table("a,b,y\n0,1,2\n1,x,3\n", drop=["a"])


def test_a_target_is_chosen_by_name_and_columns_are_left_out():
    read = table("y,a,name,b\nno,1,Ann,2\nyes,3,Bob,4\n", target="y", drop=["name"])
    assert (read.X, read.columns, read.target, read.classes, read.y) == (ROWS, ["a", "b"], "y", ["no", "yes"], [0, 1])
    for options in ({"target": "z"}, {"drop": ["z"]}, {"categorical": ["z"]}):
        with pytest.raises(DataError, match="there is no column 'z'; there are y, a, name, b"):
            table("y,a,name,b\nno,1,Ann,2\nyes,3,Bob,4\n", **options)


def test_comments_among_the_rows_are_left_out_and_that_is_said():
    read = table("colour,a,y\n#ff0000,1,0\n1,2,0\n#N/A,3,1\n2,4,1\n", missing="drop")
    assert read.X == [[1.0, 2.0], [2.0, 4.0]]
    assert "left out 1 rows that begin with #, as comments; row 2 first" in read.notes[0]
    assert "left out 1 of 3 rows, which miss values" in read.notes[1]


def test_names_that_occur_twice_are_told_apart():
    read = table("a,a,y\n1,2,0\n3,4,1\n")
    assert read.columns == ["a", "a (column 2)"]
    assert "column 2 has the name of another" in read.notes[0]


# --- headers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        ("width, height,label\n\n1,2,0\n\n3,4,1\n", ["width", "height"]),
        ("age,income,2019\n1,2,0\n3,4,1\n", ["age", "income"]),  # one number in it
        ("a,b,y\n1,2,red\n3,4,blue\n", ["a", "b"]),
        ("1,2,red\n3,4,blue\n1,3,red\n", ["column 1", "column 2"]),
        ("5.1,3.5,setosa\n4.9,3,virginica\n", ["column 1", "column 2"]),
        ("1,10,100\n2,20,200\n3,30,300\n", ["column 1", "column 2"]),
        ("NA,2,red\n3,4,blue\n5,6,red\n", None),
    ],
)
def test_the_header_is_told_by_what_is_in_it(content, columns):
    if columns is None:
        assert table(content, missing="drop").columns == ["column 1", "column 2"]
    else:
        assert table(content).columns == columns


@pytest.mark.parametrize(
    "content",
    [
        "2019,2020,2021\n5,7,9\n6,8,1\n",
        "0,1,2,3\n0.5,0.25,0.125,1\n0.5,0.75,0.5,0\n", "2019,2020,label\n1,2,a\n3,4,b\n",
        "1990,2005\n1.5,2.5\n3.5,4.5\n", "cap,colour,edible\nround,blue,p\nflat,red,e\n",
        "age,2018,2019\n1,2,0\n3,4,1\n", "1,b\n1,2\n2,3\n",
    ],
)  # fmt: skip
def test_a_header_that_cannot_be_told_is_asked_for(content):
    with pytest.raises(DataError, match=r"row 1.*--header, --no-header"):
        table(content)
    options = {"categorical": True}
    named = content.splitlines()[0].split(",")
    assert table(content, header=True, task="auto", **options).target == named[-1]
    if not named[0].isalpha() and named[1] != "b" and "label" not in named:
        assert len(table(content, header=False).X) == len(content.splitlines())


# --- missing values and text ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gap", sorted(MISSING))
def test_missing_values_are_refused_left_out_or_filled_with_the_mean(gap):
    content = f"a,b,y\n1,2,0\n{gap},4,1\n3,9,1\n"
    with pytest.raises(DataError, match=r"row 3, column 1 \(a\) is .*missing='drop' \(--missing drop\)"):
        table(content)
    dropped, filled = table(content, missing="drop"), table(content, missing="mean")
    assert (dropped.X, dropped.rows) == ([[1.0, 2.0], [3.0, 9.0]], [2, 4])
    assert "left out 1 of 3 rows" in dropped.notes[0]
    assert (filled.X[1], filled.rows) == ([2.0, 4.0], [2, 3, 4])
    assert "filled in 1 missing values of column 1 (a)" in filled.notes[0]


def test_a_row_without_its_target_is_never_filled_in():
    read = table("a,b,y\n1,,no\n3,4,\n5,6,yes\n", missing="mean")
    assert (read.X, read.y, read.rows) == ([[1.0, 6.0], [5.0, 6.0]], [0, 1], [2, 4])


def test_text_becomes_a_feature_for_each_value_where_that_is_asked_for():
    content = "a,colour,y\n1,red,0\n2,green,1\n3,red,1\n"
    with pytest.raises(DataError, match=r"row 2, column 2 \(colour\) is 'red' where a number belongs; "
        r"categorical=True \(--categorical\).* drop=\['colour'\] \(--drop\)"):  # fmt: skip
        table(content)
    read = table(content, categorical=True)
    assert read.X == [[1.0, 0.0, 1.0], [2.0, 1.0, 0.0], [3.0, 0.0, 1.0]]
    assert read.columns == ["a", "colour=green", "colour=red"]
    assert table(content, categorical=["colour", "a"]).columns == ["a=1", "a=2", "a=3", "colour=green", "colour=red"]
    gaps = table(content.replace("green", ""), categorical=True, missing="mean")
    assert gaps.X == [[1.0, 1.0], [2.0, 1.0], [3.0, 1.0]]


def test_truth_values_are_numbers_as_features():
    assert table("a,b,y\nTrue,2,x\nFALSE,3,z\n").X == [[1.0, 2.0], [0.0, 3.0]]


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "empty, no rows"),
        ("\n\n , \n# only a comment\n", "empty, no rows"),
        ("a,b\n", "row 1 names the columns, and no row of numbers follows"),
        ("1\n2\n", "row 1 has 1 column; a table needs features and a label, separated by commas, semicolons, tabs"),
        ("a,b,c\n1,2,0\n1,2\n", "row 3, column 3 (c) is missing: the row has 2 of 3 columns"),
        ("a,b\n1,2\n1,2,3\n", "row 3, column 3 is one too many: there are 2"),
        ("a;b;c\n1,5;2;0\n1;2\n", "row 3, column 3 (c) is missing: the row has 2 of 3 columns"),
        ("a,b\n1,2\n1,two\n", "row 3, column 2 (b) is 'two' where a number belongs"),
        ("1,2\nx,2\n3,4\n", "row 2, column 1 (column 1) is 'x' where a number belongs"),
        ("1,b\n1,2\n", "row 1, column 2 (column 2) is 'b' where a number belongs"),
        ("a,b\n1,2\n\n,2\n", "row 4, column 1 (a) is empty where a number belongs"),
        ("a,b\n1,nan\n2,1\n", "row 2, column 2 (b) is 'nan', not a finite number"),
        ("a,b\n1,1e999\n2,1\n", "row 2, column 2 (b) is '1e999', not a finite number"),
        ("a,b\n1,-inf\n2,1\n", "row 2, column 2 (b) is '-inf', not a finite number"),
        ("a,b\n1,1_000\n", "row 2, column 2 (b) is '1_000' where a number belongs"),
        ("a,b\n1,0x10\n", "row 2, column 2 (b) is '0x10' where a number belongs"),
        ('a,b\n"1,000",0\n"2,000",1\n', "row 2, column 1 (a) is '1,000' where a number belongs"),
        ("a,b\n10%,0\n20%,1\n", "row 2, column 1 (a) is '10%' where a number belongs"),
        ("a,b\n1,\n2,\n", "row 2, column 2 (b) is empty where a number belongs, and so is every other row"),
        ("a,b,y\n1,,0\n2,,1\n", "and so is every other row; drop=['b'] (--drop) leaves it out"),
        ("a,b\n1,2\n1,\x002\n", "row 3 has the control character '\\x00'"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00", "control character"),
        ('a,b\n1,2\n"1,2\n', "row 3: unexpected end of data"),
        ('a,b\n1,2\n"1"x,2\n', "row 3: ',' expected after '\"'"),
        ("a,b\n1," + "9" * 200_000 + "\n", "row 2: field larger than field limit"),
        ("a,b\n1,yes\n2,yes\n", "rows 2 to 3, column 2 (b) have one class only, yes; classification needs two or more"),
        ("a,b\n" + "".join(f"{i},name {i}\n" for i in range(30)), "row 2, column 2 (b) is 'name 0': no two rows share"),
        ("a,b,y\n" + "".join(f"t{i},{i},{i % 2}\n" for i in range(101)), "row 2, column 1 (a) is 't0' where a number"),
        (b"\xff\xfea\x00,\x00b", "not text in UTF-16"),
        (b"PK\x03\x04", "save the sheet as CSV"),
        (b"\x1f\x8b\x08", "compressed; unpack it first"),
        (b"PAR1 and then nothing", "not a Parquet file"),
        (b"\x93NUMPY and then nothing", "not an npy file"),
    ],
)  # fmt: skip
def test_a_malformed_file_is_named_with_row_and_column(content, message, tmp_path):
    if content[:4] == b"PAR1":
        pytest.importorskip("pyarrow", reason="Parquet is pyarrow's")
    if content[:6] == b"\x93NUMPY":
        pytest.importorskip("numpy", reason="npy is NumPy's")
    path = tmp_path / "data.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError) as error:
        read_table(path)
    assert str(error.value).startswith(f"{path}: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) - len(str(path)) < 400


def test_what_a_message_shows_of_a_file_is_short_and_has_no_control_characters():
    for content in (
        "a" * 10**6 + ",b\nx,1\n2,2\n3,3\n",
        "a,b\n1,2\n" + "y" * 10**5 + ",1\n3,4\n",
        '"a\nb",c\n1,2\nx,2\n',
    ):
        with pytest.raises(DataError) as error:
            table(content)
        assert len(str(error.value)) < 400
        assert str(error.value).isprintable()


def test_a_file_that_is_not_there_or_a_folder_is_named(tmp_path):
    with pytest.raises(DataError, match=r"none\.csv: No such file"):
        read_table(tmp_path / "none.csv")
    pytest.importorskip("pyarrow", reason="Parquet is pyarrow's")
    with pytest.raises(DataError, match=r"no \*\.parquet file in this folder"):
        read_table(tmp_path)
    with pytest.raises(TypeError, match="a table must be a path, a binary file, a frame or an array, got int"):
        read_table(3)


def test_arguments_are_checked():
    with pytest.raises(ValueError, match='missing must be None, "drop" or "mean", got \'median\''):
        table("1,0\n2,1\n", missing="median")
    with pytest.raises(ValueError, match="task must be one of auto, classification, regression, got 'rank'"):
        table("1,0\n2,1\n", task="rank")


# --- other formats ----------------------------------------------------------------------------------------------------


def test_parquet_npy_and_zarr_are_read_as_csv_is(tmp_path):
    np = pytest.importorskip("numpy", reason="npy is NumPy's")
    pandas = pytest.importorskip("pandas", reason="pandas writes Parquet")
    pytest.importorskip("pyarrow", reason="Parquet is pyarrow's")
    zarr = pytest.importorskip("zarr", reason="zarr arrays are zarr's")
    frame = pandas.DataFrame({"a": [1, 3, 5], "b": [2.0, None, 6.0], "kind": ["x", "y", "x"]}, index=[7, 8, 9])
    frame.to_parquet(tmp_path / "t.parquet")
    frame.to_csv(tmp_path / "t.csv")
    from_csv, from_parquet = (read_table(tmp_path / f"t.{kind}", missing="mean") for kind in ("csv", "parquet"))
    from_frame = read_table(frame, missing="mean")
    assert from_csv.X == from_parquet.X == from_frame.X == [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    assert from_csv[1:5] == from_parquet[1:5] == from_frame[1:5]
    with pytest.raises(DataError, match=r"t\.parquet: row 2, column 2 \(b\) is 'nan'"):
        read_table(tmp_path / "t.parquet")
    array = np.array([[1.0, 2.0, 0.0], [3.0, 4.0, 1.0]])
    np.save(tmp_path / "t.npy", array)
    zarr.save(str(tmp_path / "t.zarr"), array)
    for source in (tmp_path / "t.npy", tmp_path / "t.zarr", array):
        assert read_table(source)[:2] == (ROWS, [0, 1])
    np.save(tmp_path / "named.npy", np.array([(1.0, "x"), (2.0, "y")], dtype=[("a", float), ("kind", "U1")]))
    assert read_table(tmp_path / "named.npy").classes == ["x", "y"]
    np.save(tmp_path / "objects.npy", np.array([[1, "x"]], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match=r"objects\.npy: not an npy file of numbers"):
        read_table(tmp_path / "objects.npy")


def test_the_parquet_files_of_a_folder_are_one_table(tmp_path):
    pandas = pytest.importorskip("pandas", reason="pandas writes Parquet")
    pytest.importorskip("pyarrow", reason="Parquet is pyarrow's")
    (tmp_path / "more").mkdir()
    pandas.DataFrame({"a": [1], "b": [2.0], "label": [0]}).to_parquet(tmp_path / "1.parquet")
    pandas.DataFrame({"a": [3.0], "b": [4], "label": [1]}).to_parquet(tmp_path / "more" / "2.parquet")
    assert read_table(tmp_path)[:2] == (ROWS, [0, 1])
    pandas.DataFrame({"a": [1], "c": [2.0], "label": [0]}).to_parquet(tmp_path / "3.parquet")
    with pytest.raises(DataError, match=r"3\.parquet.* differ in the column 'b'"):
        read_table(tmp_path)
    (tmp_path / "3.parquet").write_text("PAR1 and no more")
    with pytest.raises(DataError, match=r"3\.parquet is not a Parquet file, or is damaged"):
        read_table(tmp_path)


def test_a_frame_of_polars_is_read():
    polars = pytest.importorskip("polars", reason="polars is not installed")
    read = read_table(polars.DataFrame({"kind": ["x", "y"], "a": [1, 3], "b": [2.0, 4.0]}), target="kind")
    assert (read.X, read.classes) == (ROWS, ["x", "y"])


# --- reading for a model ----------------------------------------------------------------------------------------------

FEATURES = [Feature("a"), Feature("colour", ("green", "red"))]


def samples(content, features=FEATURES, **options):
    return read_samples(io.BytesIO(content.encode()), features, "y", ["no", "yes"], **options)


def test_a_model_finds_its_columns_by_their_names():
    read = samples("id,y,colour,a\n1,yes,red,1\n2,,green,2\n")
    assert (read.X, read.y, read.rows) == ([[1.0, 0.0, 1.0], [2.0, 1.0, 0.0]], [1, None], [2, 3])
    assert "left out, as the model does not take it: id" in read.notes[0]
    assert samples("colour,a\nred,1\n").y == [None]


def test_what_a_model_does_not_know_is_named():
    with pytest.raises(DataError, match="there is no column colour, which the model takes; there are a, Colour"):
        samples("a,Colour\n1,red\n")
    with pytest.raises(DataError, match=r"row 2, column 2 \(colour\) is 'blue', not one of the values green, red"):
        samples("a,colour\n1,blue\n")
    with pytest.raises(DataError, match=r"row 2, column 3 \(y\) is 'maybe', not one of the model's classes: no, yes"):
        samples("a,colour,y\n1,red,maybe\n")


def test_a_table_without_names_is_taken_in_order_where_that_is_said():
    features = [Feature("a"), Feature("b")]
    with pytest.raises(DataError, match=r"row 1 names no columns, and the model takes a, b; .*--no-header"):
        samples("1.5,2\n3,4\n", features)
    assert samples("1.5,2\n3,4\n", features, header=False).X == [[1.5, 2.0], [3.0, 4.0]]
    assert samples("1.5,2,yes\n3,4,no\n", features, header=False).y == [1, 0]


def test_gaps_are_filled_with_the_means_of_the_training():
    read = samples("a,colour\n,red\n3,\n", missing="mean", means=[10.0, 0.25, 0.75])
    assert read.X == [[10.0, 0.0, 1.0], [3.0, 0.25, 0.75]]
    assert math.isclose(sum(read.X[1][1:]), 1)
