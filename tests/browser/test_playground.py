"""The playground in a browser: it trains as fit does, to the last bit, and says what it does."""

import json
import random
import shutil
import subprocess

import pytest

from nn import MLP, SGD, Adam, AdamW, RMSprop, fit
from nn.datasets import xor

pytest.importorskip("llvmlite")
from nn.playground import playground

pytestmark = pytest.mark.browser

X, Y = xor(60, seed=1)


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


@pytest.mark.parametrize(
    ("activation", "loss", "optimizer", "exactly"),
    [
        ("relu", "hinge", Adam(0.02), True),
        ("relu", "hinge", SGD(0.05, momentum=0.9, weight_decay=0.01), True),
        ("tanh", "binary_cross_entropy", AdamW(0.02), False),
        ("relu", "squared_error", RMSprop(0.01), True),
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
