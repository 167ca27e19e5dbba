"""Views of an expression: a picture (draw), the chain rule in writing (chain_rule), a page (page), SymPy (to_sympy)."""

from autograd.visualize.chain_rule import ChainRule, chain_rule
from autograd.visualize.draw import draw
from autograd.visualize.page import Page, page
from autograd.visualize.symbolic import to_sympy

__all__ = ["ChainRule", "Page", "chain_rule", "draw", "page", "to_sympy"]
