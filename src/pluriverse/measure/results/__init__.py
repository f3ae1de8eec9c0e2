"""What was measured, ready to be shown: the newest responses of each assistant, comparisons, maps, boards. Asks
nobody and draws nothing.
"""
