"""Instruments: what measures one thing, each a TOML file here. Knows their descriptions; asks and counts nothing."""
