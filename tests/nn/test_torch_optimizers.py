"""The same numbers as PyTorch's optimizers after 50 steps of training the same network."""

import math
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed; the formulas are tested without it as well")

from nn import MLP, SGD, Adam, AdamW, RMSprop, squared_error  # noqa: E402

CASES = {
    "sgd": (lambda: SGD(0.05), lambda p: torch.optim.SGD(p, lr=0.05)),
    "momentum": (
        lambda: SGD(0.02, momentum=0.9, weight_decay=0.01),
        lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.9, weight_decay=0.01),
    ),
    "nesterov": (
        lambda: SGD(0.02, momentum=0.8, nesterov=True),
        lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.8, nesterov=True),
    ),
    "adam": (lambda: Adam(), lambda p: torch.optim.Adam(p)),
    "adam with settings": (
        lambda: Adam(0.02, betas=(0.8, 0.99), epsilon=1e-6, weight_decay=0.1),
        lambda p: torch.optim.Adam(p, lr=0.02, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.1),
    ),
    "adamw": (lambda: AdamW(), lambda p: torch.optim.AdamW(p)),
    "adamw with settings": (
        lambda: AdamW(0.02, weight_decay=0.2),
        lambda p: torch.optim.AdamW(p, lr=0.02, weight_decay=0.2),
    ),
    "rmsprop": (lambda: RMSprop(), lambda p: torch.optim.RMSprop(p)),
    "rmsprop with settings": (
        lambda: RMSprop(0.005, alpha=0.9, momentum=0.5, weight_decay=0.01),
        lambda p: torch.optim.RMSprop(p, lr=0.005, alpha=0.9, momentum=0.5, weight_decay=0.01),
    ),
}
X = [[math.sin(i), math.cos(2 * i)] for i in range(6)]
Y = [x0 * x1 for x0, x1 in X]


@pytest.mark.parametrize("name", CASES)
def test_fifty_steps_give_pytorchs_parameters(name):
    ours, theirs = CASES[name]
    model = MLP(2, [4, 1], activation="tanh", init="xavier", rng=0)
    tensors = [torch.tensor(p.data, dtype=torch.float64, requires_grad=True) for p in model.parameters()]
    torch_model = model.with_parameters(dict(zip(model.named_parameters(), tensors, strict=True)))
    optimizer, torch_optimizer = ours(), theirs(tensors)

    def torch_score(x):
        hidden = [
            torch.tanh(sum((w * xi for w, xi in zip(n.w, x, strict=True)), n.b)) for n in torch_model.layers[0].neurons
        ]
        (out,) = torch_model.layers[1].neurons
        return sum((w * h for w, h in zip(out.w, hidden, strict=True)), out.b)

    for _ in range(50):
        model.zero_grad()
        squared_error.batch([model(x) for x in X], Y).backward()
        optimizer.step(model.parameters())
        torch_optimizer.zero_grad()
        (sum((torch_score(x) - y) ** 2 for x, y in zip(X, Y, strict=True)) / len(X)).backward()
        torch_optimizer.step()
    assert [p.data for p in model.parameters()] == pytest.approx([t.item() for t in tensors], rel=1e-9, abs=1e-12)


def test_losses_and_their_gradients_are_pytorchs():
    import nn
    from autograd import Value

    F = torch.nn.functional
    bce = F.binary_cross_entropy_with_logits
    scores, targets = [0.3, -1.7, 2.5, 0.9], [0.0, 1.0, 1.0, 0.0]
    logits, labels = [[0.3, -1.7, 2.5], [1.0, 0.9, -4.0]], [2, 1]
    cases: list[Any] = [
        (nn.squared_error, scores, targets, lambda s: F.mse_loss(s, torch.tensor(targets))),
        (nn.absolute_error, scores, targets, lambda s: F.l1_loss(s, torch.tensor(targets))),
        (nn.huber, scores, targets, lambda s: F.huber_loss(s, torch.tensor(targets))),
        (
            nn.binary_cross_entropy,
            scores,
            targets,
            lambda s: bce(s, torch.tensor(targets)),
        ),
        (nn.cross_entropy, logits, labels, lambda s: F.cross_entropy(s, torch.tensor(labels))),
    ]
    torch.set_default_dtype(torch.float64)
    try:
        for loss, numbers, wanted, theirs in cases:
            tensor = torch.tensor(numbers, requires_grad=True)
            expected = theirs(tensor)
            expected.backward()
            values = [[Value(z) for z in row] if isinstance(row, list) else Value(row) for row in numbers]
            out = loss.batch(values, wanted)
            out.backward()
            grads = [[z.grad for z in row] if isinstance(row, list) else row.grad for row in values]
            assert out.data == pytest.approx(expected.item(), rel=1e-14), loss
            assert torch.tensor(grads) == pytest.approx(tensor.grad, rel=1e-13), loss
    finally:
        torch.set_default_dtype(torch.float32)
