"""A model file is exact, is written whole or not at all, and is data that executes nothing."""

import builtins
import json
import os
import stat
import tracemalloc

import pytest

import autograd
from nn import (
    ELU,
    MLP,
    Layer,
    LeakyReLU,
    ModelFileError,
    Module,
    Neuron,
    PReLU,
    Sequential,
    Swish,
    Tanh,
    load,
    save,
)  # fmt: skip
from nn.metadata import Metadata
from nn.tables import Feature

MODELS = {
    "mlp": lambda: MLP(2, [16, 16, 1], rng=0),
    "one layer": lambda: MLP(3, [2], rng=0),
    "learnt activations": lambda: MLP(2, [3, 1], activation="prelu", rng=0),
    "activation with a setting": lambda: MLP(2, [3, 1], activation=LeakyReLU(0.3), rng=0),
    "neuron": lambda: Neuron(4, nonlin=False, rng=0),
    "layer": lambda: Layer(4, 2, activation=ELU(0.5), rng=0),
    "sequential": lambda: Sequential(
        Layer(2, 3, nonlin=False), Swish(), Sequential(Layer(3, 2, activation=Tanh()), PReLU()), MLP(2, [2, 1])
    ),
    "activation": lambda: PReLU(),
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.json"


@pytest.mark.parametrize("name", MODELS)
def test_a_model_comes_back_to_the_last_bit(name, path):
    model = MODELS[name]()
    for i, parameter in enumerate(model.parameters()):
        parameter.data += 1 / 3 + i * 1e-17
    model.parameters()[0].data = 5e-324
    model.parameters()[-1].data = -0.0
    save(model, path)
    again = load(path)
    assert repr(again) == repr(model)
    assert type(again) is type(model)
    assert {k: v.hex() for k, v in again.state_dict().items()} == {k: v.hex() for k, v in model.state_dict().items()}


def test_the_file_is_readable_and_has_format_and_version(path):
    save(MLP(2, [3, 1], rng=0), path)
    document = json.loads(path.read_text())
    assert (document["format"], document["version"]) == ("valuegrad model", 2)
    assert document["architecture"] == {"type": "MLP", "nin": 2, "nouts": [3, 1], "activation": {"type": "ReLU"}}
    assert len(document["parameters"]) == 13
    assert "layers.1.neurons.0.b" in document["parameters"]


# --- writing ----------------------------------------------------------------------------------------------------------


class Interrupted(BaseException):
    """As KeyboardInterrupt: nothing that `except Exception` would see."""


def interrupt_at(monkeypatch, call):
    """Make the given call on the file system fail, counted over all the calls that writing makes."""
    made = 0

    def failing(function):
        def wrapped(*args, **kwargs):
            nonlocal made
            made += 1
            if made == call:
                raise Interrupted
            return function(*args, **kwargs)

        return wrapped

    real_open = builtins.open

    class Failing:
        """A file whose write stops half way."""

        def __init__(self, file):
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def write(self, content):
            nonlocal made
            made += 1
            if made == call:
                self.file.write(content[: len(content) // 2])
                raise Interrupted
            self.file.write(content)

        def __getattr__(self, name):
            return failing(getattr(self.file, name)) if name == "flush" else getattr(self.file, name)

    with monkeypatch.context() as patch:
        patch.setattr(builtins, "open", lambda *a, **k: Failing(failing(real_open)(*a, **k)))
        for name in ("fsync", "replace", "chmod"):
            patch.setattr(os, name, failing(getattr(os, name)))
        yield
    interrupt_at.made = made  # type: ignore[attr-defined]


@pytest.mark.parametrize("existing", [True, False])
def test_a_save_interrupted_at_any_call_leaves_the_old_file_whole_and_nothing_else(existing, path, monkeypatch):
    old, new = MLP(2, [3, 1], rng=0), MLP(2, [3, 1], rng=1)
    interruptions = 0
    for call in range(1, 20):
        path.unlink(missing_ok=True)
        if existing:
            save(old, path)
        for _ in interrupt_at(monkeypatch, call):
            try:
                save(new, path)
            except Interrupted:
                interruptions += 1
                done = False
            else:
                done = True
        assert os.listdir(path.parent) == ([path.name] if existing or done else [])
        if existing or done:
            assert load(path).state_dict() == (new if done else old).state_dict()
        if done:
            break
    calls = 6 if existing else 5  # open, (chmod,) write, flush, fsync, replace
    assert interruptions == interrupt_at.made == calls  # type: ignore[attr-defined]


def test_a_disk_that_is_full_after_any_number_of_bytes_leaves_the_old_file_whole(path):
    resource = pytest.importorskip("resource", reason="file size limits are Unix's")
    old, new = Neuron(2, rng=0), Neuron(2, rng=1)
    save(old, path)
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    failures = 0
    for size in range(len(before)):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            save(new, path)
        except OSError:
            failures += 1
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        if path.read_bytes() != before:
            break
    assert failures >= len(before) - 10  # the new file may be a few digits shorter than the old
    assert os.listdir(path.parent) == [path.name]


def test_a_save_keeps_the_permissions_of_the_file_and_follows_a_link(path, tmp_path):
    save(Neuron(1), path)
    path.chmod(0o600)
    link = tmp_path / "link.json"
    link.symlink_to(path)
    save(Neuron(2), link)
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(load(path).parameters()) == 3


def test_what_is_no_regular_file_is_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"  # as /dev/null, which a test should leave alone
    os.mkfifo(pipe)
    for path in pipe, tmp_path:
        with pytest.raises(OSError, match="not a regular file"):
            save(MLP(1, [1]), path)
    assert pipe.is_fifo()
    assert os.listdir(tmp_path) == ["pipe"]


def test_what_cannot_be_described_is_refused_before_anything_is_written(path):
    class Own(Module):
        def __init__(self):
            self.part = Neuron(1)

    class Sub(MLP):
        pass

    altered = MLP(2, [3, 1])
    altered.layers[0].neurons[0].w.append(autograd.Value(1.0))
    shared = PReLU()
    for model in (
        Own(), Sub(2, [1]), Neuron(1, activation=autograd.sin), altered, Sequential(shared, shared),
        Sequential(autograd.tanh),
    ):  # fmt: skip
        with pytest.raises(TypeError, match="state_dict"):
            save(model, path)
    bad = Neuron(2)
    bad.w[1].data = float("nan")
    with pytest.raises(ValueError, match=r"the parameter 'w\.1' is nan; only finite models are saved"):
        save(bad, path)
    assert os.listdir(path.parent) == []


# --- damaged, foreign and hostile files ------------------------------------------------------------------------------


def changed(**changes):
    document = {
        "format": "valuegrad model",
        "version": 1,
        "architecture": {"type": "Neuron", "nin": 1, "nonlin": False},
        "parameters": {"w.0": 1.0, "b": 2.0},
    }
    return json.dumps(document | changes)


NEURON = {"type": "Neuron", "nin": 1, "nonlin": False}
HOSTILE = {
    "empty": ("", "not JSON"),
    "text": ("hello", "not JSON"),
    "not UTF-8": (b"\xff\xfe\x00{", "not text in UTF-8"),
    "pickle": (b"\x80\x04\x95\x0c\x00", "not text in UTF-8"),
    "another type": ("[1, 2]", "its entries should be format, version, architecture, parameters, metadata, frozen"),
    "null": ("null", "its entries should be"),
    "entry missing": ('{"format": "valuegrad model", "version": 1}', "its entries should be"),
    "entry too many": (changed(more=1), "its entries should be"),
    "another format": (changed(format="onnx"), "its format is 'onnx'"),
    "another version": (changed(version=3), "its version is 3; this package reads versions 1 to 2"),
    "version true": (changed(version=True), "its version is True"),
    "NaN": (changed(parameters={"w.0": float("nan"), "b": 1.0}), "NaN where a finite number belongs"),
    "infinite": (changed().replace("2.0", "1e999"), "the parameter 'b' should be a finite number, and is inf"),
    "huge integer": (changed().replace("2.0", "1" + "0" * 400), "'b'"),
    "integer of a million digits": (changed().replace("2.0", "1" * 10**6), "digits"),
    "parameter is text": (changed(parameters={"w.0": "1", "b": 1.0}), "'w.0' should be a finite number, and is '1'"),
    "parameter is true": (changed(parameters={"w.0": True, "b": 1.0}), "'w.0' should be a finite number, and is True"),
    "parameters are a list": (changed(parameters=[1.0, 2.0]), "its parameters should be numbers by name"),
    "parameter missing": (changed(parameters={"w.0": 1.0}), "no entry for the parameter 'b'"),
    "parameter unexpected": (
        changed(parameters={"w.0": 1.0, "b": 1.0, "c": 1.0}),
        "an entry for 'c', which is not a parameter",
    ),
    "twice": (changed().replace('"b": 2.0', '"b": 2.0, "b": 3.0'), "an entry twice"),
    "unknown type": (changed(architecture={"type": "Module"}), "unknown type 'Module'"),
    "a name of Python's": (changed(architecture={"type": "os.system", "x": "true"}), "unknown type 'os.system'"),
    "type is a list": (changed(architecture={"type": ["MLP"]}), "unknown type"),
    "no type": (changed(architecture={}), "unknown type None"),
    "architecture is a number": (changed(architecture=3), "its architecture has unknown entries"),
    "architecture is a list": (changed(architecture=[NEURON]), "unknown entries"),
    "gigantic layer": (changed(architecture={"type": "Layer", "nin": 1, "nout": 10**12}), "more parameters than the 2"),
    "larger layer": (changed(architecture={"type": "Layer", "nin": 1, "nout": 3}), "more parameters than the 2"),
    "gigantic input": (changed(architecture={"type": "Neuron", "nin": 10**18}), "more parameters than the 2"),
    "gigantic network": (changed(architecture={"type": "MLP", "nin": 1, "nouts": [10**9] * 9}), "more parameters than"),
    "negative size": (changed(architecture=NEURON | {"nin": -1}), "nin must be at least 1, got -1"),
    "size is text": (changed(architecture=NEURON | {"nin": "1"}), "nin must be a whole number, got str '1'"),
    "size is fractional": (changed(architecture=NEURON | {"nin": 1.5}), "nin must be a whole number, got float 1.5"),
    "size is missing": (changed(architecture={"type": "Neuron"}), "nin"),
    "argument too many": (changed(architecture=NEURON | {"rng": 1}), "unknown entries"),
    "argument unknown": (changed(architecture=NEURON | {"evil": 1}), "evil"),
    "init given": (changed(architecture=NEURON | {"init": "he"}), "unknown entries"),
    "activation unknown": (changed(architecture={"type": "Neuron", "nin": 1, "activation": "eval"}), "'eval'"),
    "nested a million deep": ("[" * 10**6, "nested too deeply"),
    "modules nested deep": (
        changed(architecture=0).replace("0,", '{"type": "Sequential", "modules": [' * 3000 + "]}" * 3000 + ",", 1),
        "nested too deeply",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_damaged_foreign_or_hostile_file_gives_one_clear_error(name, path):
    content, message = HOSTILE[name]
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ModelFileError) as error:
        load(path)
    assert str(error.value).startswith(f"{path} is not a saved model: ")
    assert message in str(error.value)
    assert len(str(error.value)) < 500


def test_a_file_cut_off_anywhere_is_refused(path):
    save(Neuron(1, nonlin=False), path)
    content = path.read_bytes().rstrip()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(ModelFileError):
            load(path)


def test_a_file_that_is_not_there_is_an_os_error(path):
    with pytest.raises(FileNotFoundError):
        load(path)


def nested(depth, layer, activation):
    for _ in range(depth):
        activation = layer | {"activation": activation}
    return activation


LAYER = {"type": "Layer", "nin": 1, "nout": 30, "nonlin": True}
MULTIPLYING = {  # each layer copies its activation for every neuron, each of which has activations of its own
    "layers": nested(12, LAYER, {"type": "ReLU"}),
    "networks": nested(8, {"type": "MLP", "nin": 1, "nouts": [20, 20, 1]}, {"type": "PReLU"}),
    "parameterless": LAYER | {"activation": {"type": "Sequential", "modules": [{"type": "ReLU"}] * 2000}},
    "a long setting": LAYER | {"activation": {"type": "LeakyReLU", "slope": [0] * 50_000}},
    "a long text": LAYER | {"activation": {"type": "LeakyReLU", "slope": "x" * 100_000}},
    "in lists": nested(4, LAYER, {"type": "Sequential", "modules": [nested(4, LAYER, {"type": "ReLU"})] * 3}),
}


@pytest.mark.parametrize("name", MULTIPLYING)
def test_a_small_file_cannot_ask_for_more_than_its_parameters_call_for(name, path):
    path.write_text(changed(architecture=MULTIPLYING[name], parameters={f"p{i}": 0.5 for i in range(60)}))
    tracemalloc.start()
    with pytest.raises(ModelFileError):
        load(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert path.stat().st_size < 200_000
    assert peak < 5e6  # without the bound 9 and 18 MB, and a minute


def test_networks_as_activations_come_back_where_their_parameters_are_in_the_file(path):
    model = MLP(2, [3, 1], activation=MLP(1, [2, 1], activation=Sequential(*[Tanh()] * 1, PReLU())), rng=0)
    save(model, path)
    assert load(path).state_dict() == model.state_dict()


@pytest.mark.parametrize(
    "content",
    [
        changed(architecture=NEURON | {"x" * 10**5: 1}),
        changed(architecture=NEURON | {"evil\n\x1b[31m": 1}),
        changed(architecture={"type": "\x1b" * 10**4}),
        changed(parameters={"w.0": "\x07" * 10**5, "b": 1.0}),
        changed(format="\u202e" * 10**5),
        changed(architecture=NEURON | {"activation": [{"type": "y" * 1000}] * 100}),
    ],
)
def test_a_message_shows_little_of_a_file_and_no_control_characters(content, path):
    path.write_text(content)
    with pytest.raises(ModelFileError) as error:
        load(path)
    assert len(str(error.value)) < len(str(path)) + 230
    assert str(error.value).isprintable()


# --- what a model is kept with ----------------------------------------------------------------------------------------


def test_metadata_come_back(path):
    model = MLP(3, [1], rng=0)
    model.metadata = Metadata(
        features=[Feature("a"), Feature("colour", ("green", "red"))], target="y", classes=["no", "yes"], loss="hinge",
        means=[1.0, 0.5, 0.5], deviations=[2.0, 0.5, 0.5], data="t.csv", rows=3, date="2026-01-01", metric="accuracy",
        score=1.0, version="0.1.0",
    )  # fmt: skip
    save(model, path)
    assert load(path).metadata == model.metadata
    assert load(path).metadata.columns == ["a", "colour=green", "colour=red"]
    assert MLP(1, [1]).metadata is None


def test_a_file_of_the_first_version_loads(path):
    path.write_text(changed())
    assert (load(path).state_dict(), load(path).metadata) == ({"w.0": 1.0, "b": 2.0}, None)


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("rows", -1), ("rows", 1.5), ("rows", True), ("rows", 10**30), ("target", 3), ("target", "x" * 10**4),
        ("classes", "ab"), ("classes", [1, 2]), ("means", [1, "2"]), ("means", [10**400]), ("score", "1"),
        ("features", [{"name": "a"}]), ("features", ["a"]), ("features", [{"name": 1, "values": []}]), ("more", 1),
        ("loss", None),
    ],
)  # fmt: skip
def test_metadata_that_make_no_sense_are_refused(entry, value, path):
    document = json.loads(changed(version=2, metadata=Metadata().as_json(), frozen=[]))
    document["metadata"][entry] = value
    path.write_text(json.dumps(document))
    with pytest.raises(ModelFileError, match=r"its? .*metadata"):
        load(path)


def test_frozen_modules_and_parameters_stay_frozen(path):
    model = MLP(2, [3, 2, 1], rng=0)
    model.layers[0].freeze()
    model.layers[1].neurons[1].w[2].trainable = False
    save(model, path)
    again = load(path)
    assert list(again.trainable_parameters()) == list(model.trainable_parameters())
    assert len(again.trainable_parameters()) == 10
    document = json.loads(path.read_text(encoding="utf-8"))
    assert document["frozen"] == ["layers.0", "layers.1.neurons.1.w.2"]
    for wrong in (["layers.9"], [0], "layers.0", None):
        path.write_text(json.dumps(document | {"frozen": wrong}), encoding="utf-8")
        with pytest.raises(ModelFileError, match="what is frozen in it should be a list of names"):
            load(path)
