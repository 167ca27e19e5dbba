"""Stage 3, lower: a compact graph becomes LLVM IR, as text. First it is decided how (plan.py), then it is written."""

from collections.abc import Mapping, Sequence

from autograd.compiler.lower import loops
from autograd.compiler.lower.functions import lane_functions, uniform_function
from autograd.compiler.lower.plan import Plan, plan
from autograd.compiler.lower.target import Target
from autograd.compiler.optimize.convert import Program


def lower(program: Program, row_lengths: Mapping[int, Sequence[int]], target: Target) -> tuple[str, Plan]:
    """LLVM IR for a program, and the plan that it follows, which says where the numbers of a call are.

    Args:
        program: what to compute.
        row_lengths: for each region, for each array mapped over, how many doubles one lane has.
        target: what machine code it will become.

    The outputs are those of the program, its verdicts, its trouble, and whether a result that is watched is NaN.
    """
    planned = plan(program, row_lengths, target)
    return write(planned), planned


def write(plan: Plan) -> str:
    """The module of LLVM IR that a plan describes."""
    finish, tables = loops.finish(plan)
    codes = [uniform_function(plan, n) for n in range(len(plan.uniform))]
    for n, loop in enumerate(plan.passes):
        codes += lane_functions(plan, n)
        around, more = loops.pass_loop(n, loop, plan)
        codes += around
        tables += more
    helpers, more = loops.helpers(plan)
    tables += more
    codes += [*helpers, finish, loops.main(plan)]
    declared = sorted(set().union(*[code.declared for code in codes]))
    return "\n".join([*declared, *tables, *[code.text() for code in codes]])
