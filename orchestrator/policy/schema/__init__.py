"""Which keys does a policy file have, what does each mean, and what does a value of it look like?

Every key has a description and an example: the reference in `policies/README.md` must name each, and editors
complete and explain from the same text. What a value means is said in `values.py`, what doesn't fit together in a file
that is well formed in `meaning.py`.
"""
