"""draw(model): every weight is a line of its sign and size, and names are only text."""

import math
import xml.etree.ElementTree as ElementTree
from itertools import pairwise

import pytest

from autograd import Value, draw
from nn import MLP, Conv1d, Dropout, Flatten, Layer, Module, Reshape, Residual, Sequential
from nn.metadata import Metadata
from nn.tables import Feature

SVG = "{http://www.w3.org/2000/svg}"


def drawn(model, **options):
    return ElementTree.fromstring(draw(model, **options).svg)


def lines(svg):
    """For each line its class, its width and what it says of its weight."""
    return [
        (group.get("class"), float(path.get("stroke-width")), path.find(f"{SVG}title").text)
        for group in svg.iter(f"{SVG}g") for path in group.iter(f"{SVG}path") if path.find(f"{SVG}title") is not None
    ]  # fmt: skip


def texts(svg):
    return [text.text for text in svg.iter(f"{SVG}text")]


def test_every_weight_is_a_line_with_its_sign_and_size():
    model = MLP(2, [3, 1], rng=0)
    found = lines(drawn(model, format=".17g"))
    weights = {}
    for layer in model.layers:
        for n, neuron in enumerate(layer.neurons):
            for k, w in enumerate(neuron.w):
                weights[f"weight of {k} for {n}: {w.data:.17g}".replace("-", "−")] = layer, w.data
    assert {said for _, _, said in found} == weights.keys()
    assert [sign for sign, _, _ in found] == ["minus" if weights[said][1] < 0 else "plus" for _, _, said in found]
    for layer in model.layers:
        of_layer = sorted((abs(weights[said][1]), width) for _, width, said in found if weights[said][0] is layer)
        assert all(narrow <= wide for (_, narrow), (_, wide) in pairwise(of_layer))
        assert of_layer[-1][1] == 4.0


def test_a_large_layer_is_summarised():
    svg = drawn(MLP(64, [32, 10], rng=0))
    assert len(lines(svg)) == 12 * 12 + 12 * 10
    assert {"64 inputs", "(12 shown)", "32 neurons", "ReLU", "10 outputs"} <= {*texts(svg)}
    assert len(lines(drawn(MLP(2, [16, 16, 1], rng=0)))) == 2 * 16 + 16 * 16 + 16


def test_inputs_and_outputs_have_the_names_of_the_data_which_are_only_text():
    model = MLP(2, [3, 2], rng=0)
    model.metadata = Metadata(features=[Feature("<b>&"), Feature("width")], target="kind", classes=["sun", "</svg>"])
    assert {"<b>&", "width", "sun", "</svg>"} <= {*texts(drawn(model))}
    one = MLP(1, [1], rng=0)
    one.metadata = Metadata(features=[Feature("a very long name of a column in a table")], target="price")
    assert {"a very long name of a c…", "price", "1 input", "1 output"} <= {*texts(drawn(one))}
    assert {"x0", "x1"} <= {*texts(drawn(MLP(2, [1])))}


def test_other_layers_are_boxes_and_notes():
    class Bell(Module):
        def __init__(self):
            self.width = Value(1.0)

    block = Residual(Conv1d(1, 1, 3, padding=1), Bell())
    model = Sequential(Reshape(1, 6), block, Dropout(0.5), Flatten(), Layer(6, 2, activation="prelu"))
    found = texts(drawn(model))
    expected = ["Reshape(1, 6)", "Residual", "Conv1d, Bell", "5 parameters", "Dropout(p=0.5)", "Flatten", "6 numbers"]
    assert [text for text in found if text in expected] == expected
    assert "PReLU" in found
    assert texts(drawn(Bell()))[:2] == ["Bell", "1 parameter"]


def test_weights_that_are_not_finite_are_drawn_and_said():
    model = MLP(2, [1], rng=0)
    model.layers[0].neurons[0].w[1].data = math.nan
    model.layers[0].neurons[0].b.data = -math.inf
    svg = drawn(model)
    assert [said for _, _, said in lines(svg)][-1] == "weight of 1 for 0: nan"
    assert "output 0: bias −∞" in [title.text for title in svg.iter(f"{SVG}title")]


def test_it_is_dark_on_dark_ground_and_shows_itself_in_a_notebook():
    picture = draw(MLP(2, [1]))
    assert "@media (prefers-color-scheme: dark) {.nn-picture .paper{fill:#14191f}" in picture.svg
    assert picture._repr_svg_() == picture.svg


def test_it_is_written_as_svg(tmp_path):
    picture = draw(MLP(2, [1]), file=tmp_path / "model.svg")
    assert (tmp_path / "model.svg").read_text(encoding="utf-8") == picture.svg
    with pytest.raises(ValueError, match=r"model\.png'; the picture of a model is SVG: its name has to end in \.svg"):
        draw(MLP(2, [1]), file=tmp_path / "model.png")


def test_options_without_effect_are_refused():
    with pytest.raises(TypeError, match="draw of a model takes format and file, and direction has no effect on it"):
        draw(MLP(2, [1]), direction="TB")
