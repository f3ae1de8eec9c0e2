"""What instruments ask: public sets by pinned digest, the loaders that make items of them, and the instruments as
data files. Asks nobody.
"""
