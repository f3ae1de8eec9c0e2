"""The metrics themselves, each an object after its functions (`schema.metric`); `by_name` computes an instrument's.

Pure functions over responses: no engine, no file, no clock.
"""
