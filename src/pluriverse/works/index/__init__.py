"""Finding passages: the index of each work, a blob of the store, and searching several of them as one.

    folding     which words are the same
    words       the words index: its form, and BM25 over several
    keeping     indexes in the store: made, kept, checked, made anew
    search      what the rest of pluriverse calls

`empty.toml` and `hanzi.txt` are data of `folding`.
"""
