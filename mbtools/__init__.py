"""The code that the chapters of *MobileNets, measured* share.

One subject a module; import the one you need, e.g. ``from mbtools import nets``.
"""

__version__ = "0.1.0"
