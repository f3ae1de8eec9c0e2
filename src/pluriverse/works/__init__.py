"""What assistants answer from: works, their passages, finding passages, and quoting them.

    reading/    files as people have them (text, Markdown, HTML, EPUB, PDF, DOCX, folders) into documents
    library/    works in the public domain that ship
    adding      files into works of the store; texts: the text of a work, wherever it is
    schema      works, passages, what was found, citations
    passages    a document cut into passages that end where sentences end and know their place
    index/      words and meaning of a work, as blobs of the store; search over the works of one assistant
    quoting     which sentences may be quoted alone, and which one answers a question

Knows files of readers, the store's blobs and, for meaning, an engine that embeds. Does not know prompts, replies or
panels: `runtime` puts passages before a model.
"""
