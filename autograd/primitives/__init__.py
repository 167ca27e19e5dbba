"""The table of primitives: every operation the engine knows, one entry each, in the file of its kind.

An entry is the public function itself: its documentation, signature, forward rule on floats, derivative, symbol, LaTeX,
and how the compiler and JavaScript write it. The files, each built on those before it: primitive (what an entry is),
arithmetic, choices, rounding, powers, lengths, trigonometric, special, gamma, activations, many.
"""

from autograd.primitives.activations import *  # noqa: F403
from autograd.primitives.arithmetic import *  # noqa: F403
from autograd.primitives.choices import *  # noqa: F403
from autograd.primitives.gamma import *  # noqa: F403
from autograd.primitives.lengths import *  # noqa: F403
from autograd.primitives.many import *  # noqa: F403
from autograd.primitives.powers import *  # noqa: F403
from autograd.primitives.primitive import *  # noqa: F403
from autograd.primitives.primitive import Primitive
from autograd.primitives.rounding import *  # noqa: F403
from autograd.primitives.special import *  # noqa: F403
from autograd.primitives.trigonometric import *  # noqa: F403

TABLE: dict[str, Primitive] = {p.name: p for p in list(globals().values()) if isinstance(p, Primitive)}
