"""The playground in a browser: it trains as fit does, to the last bit, and says what it does."""

import json
import math
import random
import shutil
import subprocess

import pytest

from nn import (
    MLP,
    SGD,
    Adam,
    AdamW,
    Dropout,
    Layer,
    RMSprop,
    Sequential,
    binary_cross_entropy,
    fit,
    squared_error,
)
from nn.datasets import xor

pytest.importorskip("llvmlite")
from nn.playground import playground

pytestmark = pytest.mark.browser

X, Y = xor(60, seed=1)


@pytest.fixture(scope="module")
def small():
    """A page of a small network."""
    return playground(MLP(2, [3, 1], rng=0), X, Y, optimizer=SGD(0.1))


def opened(open_page, live):
    tab = open_page(live.html)
    tab.wait_for_selector("html[data-ready]", state="attached")
    return tab


def weights(tab):
    """All parameters, one by one as the page shows them."""
    return tab.evaluate("""() => [...document.querySelectorAll("#parameter option")].map((option) => {
        const select = document.getElementById("parameter");
        select.value = option.value;
        select.dispatchEvent(new Event("change"));
        return Number(document.getElementById("number").value.replaceAll("−", "-"));
    })""")


def steps(tab, count):
    tab.evaluate("""(count) => { for (let i = 0; i < count; i++) document.getElementById("step").click(); }""", count)


def test_a_model_draws_the_same_random_numbers(open_page):
    def model():
        return Sequential(Layer(2, 5, activation="relu", rng=0), Dropout(0.4), Layer(5, 1, nonlin=False, rng=1))

    settings = {"optimizer": SGD(0.05), "batch_size": 20, "seed": 3}
    tab = opened(open_page, playground(model(), X, Y, **settings))
    steps(tab, 6)
    trained = model()
    fit(trained, X, Y, epochs=2, progress=False, **settings)
    assert weights(tab) == [p.data for p in trained.parameters()]


@pytest.mark.parametrize(
    ("activation", "loss", "optimizer", "exactly"),
    [
        ("relu", "hinge", Adam(0.02), True),
        pytest.param("relu", "hinge", SGD(0.05, momentum=0.9, weight_decay=0.01), True, marks=pytest.mark.slow),
        ("tanh", "binary_cross_entropy", AdamW(0.02), False),
        pytest.param("relu", "squared_error", RMSprop(0.01), True, marks=pytest.mark.slow),
    ],
)
def test_after_some_epochs_the_weights_are_those_of_fit(open_page, activation, loss, optimizer, exactly):
    y = Y if loss == "binary_cross_entropy" else [2 * t - 1 for t in Y]
    settings = {"loss": loss, "optimizer": optimizer, "batch_size": 7, "seed": 5, "validation_split": 0.2}
    tab = opened(open_page, playground(MLP(2, [6, 4, 1], activation=activation, rng=0), X, y, **settings))
    steps(tab, 3 * 7)
    model = MLP(2, [6, 4, 1], activation=activation, rng=0)
    history = fit(model, X, y, epochs=3, progress=False, **settings)
    expected = [p.data for p in model.parameters()]
    assert tab.text_content("#epoch") == "3"
    if exactly:
        assert weights(tab) == expected
    else:
        assert weights(tab) == pytest.approx(expected, rel=1e-12, abs=1e-12)
    assert float(tab.text_content("#test-loss")) == pytest.approx(history.validation_loss[-1], rel=1e-3)


def test_a_seed_means_what_it_means_in_python(tmp_path):
    if not shutil.which("node"):
        pytest.skip("there is no node here")
    from importlib.resources import files

    script = files("nn").joinpath("assets", "random.js").read_text(encoding="utf-8")
    script += """
    const answers = [0, 1, 12345, 4294967295].map((seed) => {
      const [random, list] = [new Random(seed), Array.from({ length: 1000 }, (_, i) => i)];
      random.shuffle(list);
      random.shuffle(list);
      return list;
    });
    console.log(JSON.stringify(answers));
    """
    (tmp_path / "shuffle.mjs").write_text(script)
    answers = json.loads(subprocess.check_output(["node", tmp_path / "shuffle.mjs"]))
    for seed, found in zip([0, 1, 12345, 2**32 - 1], answers, strict=True):
        generator, order = random.Random(seed), list(range(1000))
        generator.shuffle(order)
        generator.shuffle(order)
        assert found == order


def first_sample(count, seed):
    order = list(range(count))
    random.Random(seed).shuffle(order)
    return order[0]


def test_one_step_in_words_and_node_by_node_has_the_numbers_of_one_sample(open_page):
    model = MLP(2, [3, 1], activation="tanh", rng=0)
    tab = opened(open_page, playground(model, X, Y, loss="binary_cross_entropy", optimizer="adam", seed=2))
    assert "Nothing has been learnt yet" in tab.text_content("#lines")
    tab.click("#step")
    i = first_sample(len(X), 2)
    score = model(X[i]).data
    loss = binary_cross_entropy(score, Y[i])
    lines = tab.locator("#lines li").all_text_contents()
    assert lines[0].startswith(f"Forward: for sample {i} (x0 = ")
    assert lines[0].endswith(f"the network gave {score:.4g}.".replace("-", "−"))
    assert f"binary_cross_entropy is {loss:.4g}" in lines[1]
    tab.click("#backward")
    frame = tab.frame_locator("#dialog iframe")
    frame.locator("#last").click()
    assert frame.locator("#result").text_content().endswith(f" = {loss:.4g}")
    tab.click("#close")


def test_a_weight_is_found_in_the_picture_and_edited(open_page, small):
    model = MLP(2, [3, 1], rng=0)
    tab = opened(open_page, small)
    name = "layers.1.neurons.0.b"
    box = tab.locator("#neurons").bounding_box()
    tab.mouse.click(box["x"] + box["width"] - 30, box["y"] + box["height"] / 2)  # the last neuron
    assert tab.locator("#parameter option:checked").text_content() == name
    assert tab.locator("#tip").text_content() == f"bias {name}: 0"
    tab.locator("#number").fill("2")
    tab.keyboard.press("Enter")
    model.named_parameters()[name].data = 2.0
    loss = squared_error.batch(model.predict(X), Y)
    assert float(tab.text_content("#train-loss")) == pytest.approx(loss, rel=1e-3)


def test_bad_numbers_are_refused_with_a_reason(open_page, small):
    tab = opened(open_page, small)
    for field, text, reason in [
        ("rate", "fast", "“fast” is not a number. It stays 0.1."),
        ("rate", "-1", "The learning rate is a positive number, got −1. It stays 0.1."),
        ("batch", "61", "The batch size is a whole number from 1 to 60, got 61. It stays 10."),
        ("seed", "1.5", "The seed is a whole number from 0 to 4294967295, got 1.5. It stays 0."),
        ("decay", "", "The field is empty. It stays 0."),
    ]:
        tab.locator(f"#{field}").fill(text)
        tab.keyboard.press("Enter")
        assert tab.text_content("#wrong") == reason
        assert tab.locator(f"#{field}").get_attribute("aria-invalid") == "true"


def test_a_run_that_diverges_says_so_and_goes_back(open_page, small):
    tab = opened(open_page, small)
    tab.locator("#rate").fill("1e5")
    tab.keyboard.press("Enter")
    tab.evaluate("document.activeElement.blur()")
    tab.keyboard.press("Space")
    tab.wait_for_selector("#diverged:not([hidden])")
    assert "The run has diverged: at step " in tab.text_content("#diverged")
    assert tab.text_content("#play") == "▶ Play"
    tab.click("#go-back")
    assert tab.locator("#diverged").is_hidden()
    assert all(map(math.isfinite, weights(tab)))
    tab.click("#reset")
    assert weights(tab) == [p.data for p in MLP(2, [3, 1], rng=0).parameters()]


def test_nothing_is_cut_off(open_page, small):
    tab = opened(open_page, small)
    for width in (375, 1280):
        tab.set_viewport_size({"width": width, "height": 667})
        assert tab.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_axe_finds_nothing(open_page, small, npm_package, scheme):
    axe = npm_package("axe-core") / "axe.min.js"
    tab = open_page(small.html, color_scheme=scheme)
    tab.wait_for_selector("html[data-ready]", state="attached")
    tab.click("#step")
    tab.evaluate(axe.read_text(encoding="utf-8"))
    assert [(v["id"], v["nodes"][0]["html"]) for v in tab.evaluate("axe.run()")["violations"]] == []


def test_arrays_are_taken_as_lists_are(small):
    np = pytest.importorskip("numpy")
    held = np.array(X[:9]), np.array(Y[:9])
    model, settings = MLP(2, [3, 1], rng=0), {"optimizer": SGD(0.1)}
    assert playground(model, np.array(X), np.array(Y), **settings).html == small.html
    assert playground(model, X, Y, validation_data=held, **settings).data["test"] == {"X": X[:9], "y": Y[:9]}


def test_what_a_page_cannot_train_is_refused():
    with pytest.raises(TypeError, match=r"one optimizer for all parameters"):
        playground(MLP(2, [3, 1], rng=0), X, Y, optimizer={"layers.0": "sgd", "": "adam"})
