"""What measuring speaks of: instruments, items, responses, figures, and what a metric is. Values only: no engine, no
statistics, no files but their own.
"""
