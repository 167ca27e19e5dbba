// What the page offers to start with: a title, and Python.
export const examples = [
  ["A first gradient", `from autograd import Value, draw

a = Value(2.0, label="a")
b = Value(-3.0, label="b")
L = (a * b + 10) * a
L.backward()
print("L =", L.data, " dL/da =", a.grad, " dL/db =", b.grad)
draw(L, local_grads=True)`],
  ["The chain rule in writing", `from autograd import Value, chain_rule, tanh

x, w, b = Value(2.0, label="x"), Value(-0.5, label="w"), Value(0.3, label="b")
a = tanh(w * x + b)
chain_rule((a - 1) ** 2, w)`],
  ["Step by step", `from autograd import Value, page, tanh

x, w = Value(0.5, label="x"), Value(-1.2, label="w")
a = tanh(x * w)
page(a * a + x)`],
  ["Derivatives of derivatives", `from autograd import grad, hessian, sin

f = lambda x: sin(x) * x
print("f'(1), f''(1), f'''(1):", grad(f)(1.0), grad(grad(f))(1.0), grad(grad(grad(f)))(1.0))
print("Hessian:", hessian(lambda p: p[0] ** 2 * p[1])([3.0, 2.0]))`],
  ["Train a network", `from nn import MLP, Adam, accuracy, fit
from nn.datasets import moons

X, y = moons(60, noise=0.1)
model = MLP(2, [8, 1], activation="tanh", rng=0)
history = fit(model, X, y, loss="binary_cross_entropy", optimizer=Adam(0.1), epochs=40,
              backend="eager", progress=False)
print("loss:", [round(loss, 3) for loss in history.loss])
print("accuracy:", accuracy(model, X, y, loss="binary_cross_entropy"))`],
  ["Look for a NaN", `from autograd import Value, detect_anomaly, log

x = Value(0.0, label="x")
with detect_anomaly():
    loss = (x * log(x) + 1) ** 2
print(loss.data)
loss.why_nonfinite()`],
];
