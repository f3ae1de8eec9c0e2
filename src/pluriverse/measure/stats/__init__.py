"""The numbers behind measuring: rates, resampling, distributions, coverage, stability, a map.

Pure functions over arrays. They know shapes and formulas; nothing of assistants, engines, instruments or files. What
each figure means, from how many questions on its interval holds, and what it does not show: docs/statistics.md.
"""
