"""Do policies do what their authors say they do? Tests of policies: how they are written, read, and judged."""
