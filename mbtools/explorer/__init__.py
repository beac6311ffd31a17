"""The widgets of the chapters, alive also in a page without a kernel.

Python holds the numbers as compact tables; each widget's script looks them up
and draws. Their traits are there for your own code::

    explorer = CostExplorer(net="v2", alpha=0.75, resolution=192)
    explorer.observe(print, "alpha")
    explorer.cost.macs
"""

from .block_designer import BlockDesigner
from .collapse_explorer import CollapseExplorer
from .cost_explorer import ALPHAS, RESOLUTIONS, CostExplorer, pareto_front
from .filter_table import FilterTable
from .layer_browser import LayerBrowser
from .layer_explorer import CHANNELS, KERNELS, SIZES, LayerExplorer
from .memory_walk import PARTS, MemoryWalk
from .prediction_browser import PredictionBrowser
from .rank_explorer import RankExplorer
from .roofline import Roofline
from .size_explorer import SizeExplorer

__all__ = [
    "ALPHAS",
    "CHANNELS",
    "KERNELS",
    "PARTS",
    "RESOLUTIONS",
    "SIZES",
    "BlockDesigner",
    "CollapseExplorer",
    "CostExplorer",
    "FilterTable",
    "LayerBrowser",
    "LayerExplorer",
    "MemoryWalk",
    "PredictionBrowser",
    "RankExplorer",
    "Roofline",
    "SizeExplorer",
    "pareto_front",
]
