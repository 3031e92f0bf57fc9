"""Gymnasium environments in which a language model reasons, calls tools and answers."""

from __future__ import annotations

import os

# An installed wheel holds agents/ and wrappers/ inside this folder (setup.cfg, package_dir).
# In a checkout they lie beside it: extend the search path so that both import alike.
if not os.path.isdir(os.path.join(__path__[0], "agents")):
    __path__.append(os.path.dirname(__path__[0]))

__version__ = "0.1.0"
