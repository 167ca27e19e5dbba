"""Three views of an expression: a picture (draw), the chain rule in writing (chain_rule), an interactive one (page)."""

from autograd.visualize.chain_rule import ChainRule, chain_rule
from autograd.visualize.draw import draw
from autograd.visualize.page import Page, page

__all__ = ["ChainRule", "Page", "chain_rule", "draw", "page"]
