"""Synthetic encyclopedias: invented facts, the pages that tell them, questions about them.

`world` draws the facts (`relations/` says which there are, `titles` and `names` what things are
called), `writing` tells them on pages, `encyclopedia` keeps both. `draw` walks through the facts
for a question, `queries` solves it on the `facts` that pages tell, `ask` puts it into words, and
`gates` measures how far a short cut leads. `react_envs.tasks.SyntheticWiki` makes tasks of it all.
"""
