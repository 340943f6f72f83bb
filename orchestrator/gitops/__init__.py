"""Policies from git: a branch of a repository, here or elsewhere, and its commits as folders of files."""
