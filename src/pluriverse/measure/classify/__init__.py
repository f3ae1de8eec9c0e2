"""What kind of text a response is, by rules and small text classifiers. Knows texts; asks nobody and counts no
figure.
"""
