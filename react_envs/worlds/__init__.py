"""Synthetic encyclopedias: invented facts, the pages that tell them, questions about them."""
