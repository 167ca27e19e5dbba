"""Code for elsewhere: a function, with its derivatives, as C, JavaScript, Python or WebAssembly.

programs traces it, interface names what goes in and comes out, schedule says what runs in loops and in which order, and
printer writes that: in C, JavaScript or Python, as each describes itself (language.py and one file each). WebAssembly
is what jit would run, made for another machine (module.py), with a class in JavaScript that calls it (wasm.py).
All but this file, language and javascript need llvmlite and NumPy.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from autograd.extras import needs

if TYPE_CHECKING:
    from autograd.codegen.code import Code


def export(
    f: Callable[..., Any],
    *example_args: Any,
    language: str = "c",
    examples: Sequence[Sequence[Any]] = (),
    name: str | None = None,
    results: Sequence[str] = (),
    about: str | None = None,
) -> "Code":
    """A function as source code to embed elsewhere, with all that it needs: no package, and of C only `<math.h>`.

    Args:
        f: a function that `jit` takes, transformed ones included: `export(value_and_grad(f), 2.0)`, a `vmap`, a Module.
        example_args: arguments as it will get them. Floats and arrays become arguments of the code, in their structure;
            what jit makes part of the program is part of the code, and so are the numbers of leaves that f captures,
            such as those of a trained model. An array that a vmap maps may have any length.
        language: "c" (C99), "javascript" (an ES module, types in JSDoc), "python" (needs the standard library alone) or
            "wasm": an ES module with a class, named like the function, that has the code as WebAssembly with SIMD:
            `const network = await Predict.load()`, then `network.predict(x)`.
        examples: more arguments. The code knows the branches that these and the first take.
        name: what to call the function; as f is called, unless given.
        results: names for the items of a tuple that f returns.
        about: what the comment at the beginning says; the first paragraph of f's docstring, unless given.

    Returns: the code; `str(code)` is its text, `code.save(path)` writes it, of C with a header beside it, of
        WebAssembly the module and the class.

        A list, tuple or array is an array, and nested ones with rows of equal length are one of several axes, row by
        row; other structures are structs, or objects. A dict whose keys are not all names, and a Module, is an array of
        its numbers in C, and an object with these keys elsewhere.

        C returns a status: 0, or 1 where a branch is taken that no example took, 2 for an index out of range, 3 for a
        whole number that doubles do not hold. The others raise an error instead. A vmap that reduces adds from the
        first lane to the last, and in WebAssembly as jit does. What is made of `+ - * /`, `sqrt` and comparisons is
        bit-identical to eager mode (C with `-ffp-contract=off`); other functions are as good as the language's own.

    Errors: ImportError without llvmlite and NumPy; what jit refuses; TypeError for a primitive that the language has
        not; ValueError for an unknown language, or examples of different structures.

    Example:
        >>> from autograd import export, value_and_grad
        >>> def f(x, y):
        ...     return x * x / y
        >>> code = export(value_and_grad(f), 3.0, 2.0, results=("value", "slope"), language="python")
        >>> namespace = {}
        >>> exec(str(code), namespace)
        >>> namespace["f"](3.0, 2.0)
        (4.5, 3.0)
    """
    try:
        from autograd.codegen.code import write
    except ImportError as error:
        raise ImportError(needs("export", "llvmlite", "numpy")) from error
    return write(f, [example_args, *examples], language, name, results, about)
