"""For notebooks. `check`: is the answer to an exercise right? If not, a hint; never the answer. `show_figure`:
plt.show() with a description for those who do not see the figure."""

import math
from collections.abc import Callable, Iterator
from itertools import permutations
from typing import Any

from autograd.transforms.tree import read_grads
from autograd.value import Value

Findings = Iterator[tuple[bool, str]]  # whether a part is right, and a hint where it is not


class Verdict:
    """What a notebook shows of an answer: true if it is right.

    Attributes:
        message: one sentence.
    """

    def __init__(self, right: bool, message: str):
        self.right, self.message = right, message

    def __bool__(self) -> bool:
        return self.right

    def __repr__(self) -> str:
        return self.message


def check(exercise: str, **answers: Any) -> Verdict:
    """Looks at the answers to an exercise, as the notebook names them.

    Args:
        exercise: notebook and number, such as "01.2".
        answers: `...` for what is not answered yet.

    Returns: a Verdict, which shows itself: what is right, or a hint on the first thing that is not.

    Errors: ValueError for an exercise that there is not, or for other answers than it asks for.

    Example:
        >>> check("01.1", by_a=..., by_b=...)
        Not answered yet: by_a, by_b. Put your answers in place of the dots.
        >>> check("01.1", by_a=1 / 8, by_b=3 / 8)
        Not yet: by_b has the right size. Where b grows, does the fraction grow or shrink?
        >>> check("01.1", by_a=1 / 8, by_b=-3 / 8)
        Right.
    """
    if exercise not in EXERCISES:
        raise ValueError(f"there is no exercise {exercise!r}; there are {', '.join(EXERCISES)}")
    findings = EXERCISES[exercise]
    code = findings.__code__
    asked = code.co_varnames[: code.co_argcount]
    if set(asked) != set(answers):
        raise ValueError(f"exercise {exercise} asks for {', '.join(asked)}, got {', '.join(answers) or 'nothing'}")
    unanswered = [name for name in asked if answers[name] is ...]
    if unanswered:
        return Verdict(False, f"Not answered yet: {', '.join(unanswered)}. Put your answers in place of the dots.")
    try:
        for right, hint in findings(**answers):
            if not right:
                return Verdict(False, f"Not yet: {hint}")
    except Exception as error:  # an answer of another kind altogether
        return Verdict(False, f"Not yet: with your answer this went wrong: {type(error).__name__}: {error}")
    return Verdict(True, "Right.")


def show_figure(alt: str) -> None:
    """Shows the current figure of matplotlib with alternative text, which plt.show() has no place for.

    Args:
        alt: what is to be seen, in a sentence. It becomes the output's metadata, from which pages made of a notebook
            take it.
    """
    import IPython.display
    import matplotlib.pyplot as plt

    show: Any = IPython.display.display
    show(plt.gcf(), metadata={"image/png": {"alt": alt}})
    plt.close()


def near(answer: Any, truth: float, tolerance: float = 1e-6) -> bool:
    """Whether a number, or the number of a Value, is the true one but for rounding."""
    x = answer.data if isinstance(answer, Value) else float(answer)
    return math.isclose(x, truth, rel_tol=tolerance, abs_tol=tolerance)


# What each exercise asks for, as the parameters of a function that looks at the answers, part by part.


def _00_1(by_a: Any, by_b: Any) -> Findings:
    yield near(by_b, 4), "by_b: how often is b contained in a·a·b?"
    yield not near(by_a, 10), "by_a: that is one of the two uses of a."
    yield near(by_a, 20), "by_a: a is used twice. What is each of the two multiplied with?"


def _00_2(largest: Any) -> Findings:
    yield float(largest) > 0.5, "largest: that one still arrives. Try larger ones."
    yield float(largest) < 2, "largest: with that one the very first step ends higher than it began."
    yield near(largest, 1, 0.02), "largest: close. Where does a step land that is exactly as far on the other side?"


def _00_3(neuron_gets_right: Any, network_gets_right: Any) -> Findings:
    yield neuron_gets_right != 4, "neuron_gets_right: can one straight line separate the two kinds?"
    yield neuron_gets_right == 3, "neuron_gets_right: draw the four points, and the best line that you find."
    yield network_gets_right == 4, "network_gets_right: it can do better. Has fit seen labels 0 and 1?"


def _01_1(by_a: Any, by_b: Any) -> Findings:
    yield near(abs(by_a), 1 / 8), "by_a is not it. The quotient rule has four products; which of them cancel?"
    yield near(by_a, 1 / 8), "by_a has the right size. Where a grows, does the fraction grow or shrink?"
    yield near(abs(by_b), 3 / 8), "by_b is not it. a stays 3 while b moves; b stands above and below the line."
    yield near(by_b, -3 / 8), "by_b has the right size. Where b grows, does the fraction grow or shrink?"


def _01_2(x_grad: Any, y_grad: Any, z_grad: Any) -> Findings:
    yield near(z_grad, 1), "z_grad: how much does z move when z moves?"
    yield not near(x_grad, 18), "x_grad: nobody set it to 0 between the two calls."
    yield near(x_grad, 24), "x_grad: what does each of the two calls add to the leaf?"
    yield not near(y_grad, 4), "y_grad: y is no leaf, so nothing is left of the first call."
    yield near(y_grad, 3), "y_grad: how much does z move when y moves?"


def _01_3(root: Any, steps: Any) -> Findings:
    yield abs(math.cos(float(root)) - float(root)) < 1e-15, "the cosine of root is not root yet, to 15 digits."
    yield steps < 10, "that many steps are not needed. Is x.grad set to 0 before each backward()?"
    yield steps == 4, "count the times that x was replaced, from 1.0 on, until the difference is below 1e-15."


def _02_1(y: Any, by_q: Any, by_t: Any, by_x: Any) -> Findings:
    yield near(y, 3.5), "y: t is 2 and q is 7."
    yield near(by_q, 1 / 2), "by_q: how much does q / t move when q does?"
    yield not near(by_t, 2), "by_t: t is below the line as well, where it makes y smaller."
    yield (
        near(by_t, 1 / 4),
        "by_t: t is used three times. Each use contributes what comes from above times its own local derivative.",
    )
    yield not near(by_x, 1 / 4), "by_x: x is not only in t."
    yield near(by_x, 3 / 4), "by_x: add what comes through q directly and what comes through t."


def _02_2(plain: Any, residual: Any) -> Findings:
    yield 0 < abs(float(plain)) < 1e-35, "plain: forty factors of w tanh'(·), each below 0.1, make a number that small."
    yield abs(float(residual)) > 1, "residual: each layer has two ways back; the one through the sum has the factor 1."
    yield abs(float(residual)) < 50, "residual: is w still 0.1, and are there forty layers?"


def _02_3(derivative: Any, nodes: Any) -> Findings:
    fibonacci = 2880067194370816120
    yield not near(derivative, fibonacci / 1.618033988749895, 1e-3), "derivative: that is f_89. f_1 and f_2 are both x."
    yield near(derivative, fibonacci, 1e-15), "derivative: let backward() count, from f_90, with x = Value(1.0)."
    yield nodes != 90, "nodes: f_1 and f_2 are one and the same node."
    yield nodes == 89, "nodes: count x, and one for each sum; topological_order counts for you."


def _03_1(downhill: Any) -> Findings:
    yield str(downhill).upper() in ("A", "B"), 'downhill: "A" or "B".'
    yield (
        str(downhill).upper() == "A",
        "the gradient points to where the loss grows. Look at the first steps of both curves.",
    )


def _03_2(wrong: Any, factor: Any) -> Findings:
    yield str(wrong).upper() in ("A", "C"), 'wrong: "A" or "C".'
    yield (
        str(wrong).upper() == "C",
        "wrong: a curve that goes down is no proof. What does a difference quotient say of dL/dw3?",
    )
    yield near(abs(factor), 0.1), "factor: what is C's derivative divided by the true one, where eta is 0.1?"
    yield near(factor, 0.1), "factor: the sign of (y - prediction) is the same in both."


def _03_3(missing_in_w2: Any, missing_in_w1: Any) -> Findings:
    chain = "write the chain from L to the weight, one factor for each arrow, and compare with D"
    yield set(missing_in_w2) == {"w3"}, f"missing_in_w2: {chain}. What is ∂a3/∂f2 in this network?"
    yield {"w3"} != set(missing_in_w1), "missing_in_w1: that is one of two."
    yield set(missing_in_w1) == {"w3", "w2"}, f"missing_in_w1: {chain}."


def _04_1(ds_dx: Any, delta: Any, W: Any) -> Findings:
    rows, columns = W.shape
    yield getattr(ds_dx, "shape", None) != (rows,), "that has an entry for each hidden neuron; x has fewer."
    yield (
        getattr(ds_dx, "shape", None) in ((columns,), (1, columns)),
        f"a row with {columns} entries, one for each input.",
    )
    yield (
        _close(ds_dx, delta @ W),
        "the shape is right. Each entry adds up over the hidden neurons: delta, times which column?",
    )


def _04_2(jacobian_of_softmax: Any) -> Findings:
    import numpy as np

    z = np.array([0.3, -1.0, 2.0])
    p = np.exp(z) / np.exp(z).sum()
    J = np.asarray(jacobian_of_softmax(z), dtype=float)
    yield J.shape == (3, 3), "a function of z that returns a matrix, a row for each p, a column for each z."
    yield _close(np.diag(J), p * (1 - p)), "the diagonal: how does p_i move when its own z_i does?"
    yield _close(J, np.diag(p) - np.outer(p, p)), "beside the diagonal: p_i becomes smaller when another z_j grows."


def _04_3(by_b1: Any, by_W1: Any, layers: Any) -> Findings:
    W1, b1 = layers[0]
    yield getattr(by_b1, "shape", None) == read_grads(b1).shape, "by_b1: one entry for each neuron of the first layer."
    yield _close(by_b1, read_grads(b1)), "by_b1: what comes down from the second layer, times f' at z1."
    yield getattr(by_W1, "shape", None) == read_grads(W1).shape, "by_W1: the shape of W1."
    yield _close(by_W1, read_grads(W1)), "by_W1: an outer product of by_b1 and what the first layer was given."


def _05_1(optimizer: Any, mu: Any) -> Findings:
    yield (
        "momentum" in str(optimizer).lower(),
        "optimizer: the step is the sum of all gradients so far. Which optimizer adds up?",
    )
    yield near(mu, 1), "mu: how much of the sum is left after a step, if nothing is ever set to 0?"


def _05_2(straight: Any, right: Any) -> Findings:
    corners = [float(s) for s in straight.predict([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])]
    bent = (corners[1] - corners[0]) - (corners[3] - corners[2])
    yield abs(bent) < 1e-9, "straight: its scores are not a plane yet. Does every activation do nothing?"
    yield not 1 < float(right) <= 100, "right: as a fraction."
    yield 0.75 < float(right) < 0.95, "right: what the run says of the last epoch. Has it trained long enough?"


def _05_3(right: Any) -> Findings:
    yield not 1 < float(right) <= 100, "right: as a fraction."
    yield (
        float(right) > 0.6,
        "hardly more than guessing. One straight line is not enough: more neurons, or a smooth activation.",
    )
    yield (
        float(right) >= 0.95,
        "on the way. Try a wider network, tanh with Xavier's beginning, or another learning rate.",
    )


def _06_1(paths: Any) -> Findings:
    yield paths != 4, "two of the numbers go the same way."
    yield paths == 3, "a path for each number of rounds. How many rounds does each of the four take?"


def _06_2(errors: Any, slopes: Any, paths: Any) -> Findings:
    inside = [near(s, e) for s, e in zip(slopes, errors, strict=True) if abs(e) < 1]
    beyond = [near(s, math.copysign(1, e)) for s, e in zip(slopes, errors, strict=True) if abs(e) > 1]
    yield bool(inside) and all(inside), "slopes: between -1 and 1 the slope is the error itself."
    yield bool(beyond) and all(beyond), "slopes: beyond -1 and 1 the slope is -1 or 1."
    yield paths == 1, "right numbers, but more than one path: an if is left."


def _06_3(hessian_there: Any, times_faster: Any) -> Findings:
    n = len(hessian_there)
    yield n == 20 and len(hessian_there[0]) == 20, "hessian_there: a matrix of 20 x 20."
    yield near(hessian_there[0][0], 1200 * 0.0 - 400 * 0.1 + 2), "hessian_there: at the point 0.0, 0.1, 0.2, ..., 1.9."
    yield (
        all(hessian_there[i][j] == 0 for i in range(n) for j in range(n) if abs(i - j) > 1),
        "only neighbours meet in a term.",
    )
    yield (
        float(times_faster) > 1,
        "times_faster: eager time over compiled time, without the first call, which compiles.",
    )


def _07_1(different: Any) -> Findings:
    yield (
        set(different) == {0.3, 1.0, 2.0},
        "different: how many different names for each of the temperatures 0.3, 1.0, 2.0.",
    )
    yield all(1 <= different[t] <= 20 for t in different), "different: of twenty names each."
    yield different[0.3] < different[2.0], "at a small temperature the likeliest letter is drawn nearly always."


def _07_2(surprise: Any, least: Any, names: Any) -> Findings:
    yield isinstance(surprise("anna"), float), "surprise: a float, from plain floats. parameters hold arrays: tolist()."
    yield surprise("anna") < surprise("qxzvb"), "surprise: a name should surprise less than qxzvb."
    yield least in names[:30], "least: one of the first thirty names."
    yield least == min(names[:30], key=surprise), "least: there is one that surprises less."


def _07_3(first_place: Any) -> Findings:
    yield first_place != 3, "the sign at place 0 is the dot before the name."
    yield first_place == 4, "the first place whose scores differ, where maria and marko are given up to that place."


def _08_1(groups: Any, most_workers: Any) -> Findings:
    yield groups != 2, "groups: what is left over is a group, too."
    yield groups == 3, "groups: how often does 262 144 go into 600 000, and is something left over?"
    yield most_workers == 3, "most_workers: a worker has something to do if it has a group."


def _08_2(numbers: Any) -> Findings:
    xs = [float(x) for x in numbers]
    yield len(xs) == 3, "numbers: a list of three."
    yield (
        len({(a + b) + c for a, b, c in permutations(xs)}) > 1,
        "numbers: in every order the sum is the same. Try a very large one.",
    )


def _08_3(to_each: Any, back: Any) -> Findings:
    yield to_each != 32, "to_each: in bytes."
    yield to_each == 256, "to_each: the parameters, 8 bytes each."
    yield back != 8 * 33, "back: that is of one group."
    yield back == 8 * 33 * 3, "back: for each group the loss and each derivative, 8 bytes each."


def _close(answer: Any, truth: Any) -> bool:
    import numpy as np

    return bool(np.allclose(np.asarray(answer, dtype=float).reshape(np.shape(truth)), truth, rtol=1e-6, atol=1e-9))


EXERCISES: dict[str, Callable[..., Findings]] = {
    name[1:].replace("_", "."): found for name, found in list(globals().items()) if name[1:3].isdigit()
}
