"""Three views of an expression: a picture (draw), the chain rule in writing (chain_rule), an interactive page (page)."""

from autograd.visualize.draw import draw

__all__ = ["draw"]
