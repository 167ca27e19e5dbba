"""Three views of an expression: a picture (draw), the chain rule in writing (chain_rule), an interactive one (page)."""

from autograd.visualize.chain_rule import ChainRule, chain_rule
from autograd.visualize.draw import draw

__all__ = ["ChainRule", "chain_rule", "draw"]
