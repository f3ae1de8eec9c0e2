"""A run: who answers, what is asked of them, the sensitivity check before, the record on disk, when to stop. Local
or over a cluster.
"""
