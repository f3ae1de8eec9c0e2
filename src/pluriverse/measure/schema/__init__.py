"""What measuring speaks of: instruments, items, responses, figures. Values only: no engine, no statistics, no
files but their own.
"""
