"""Who is it, and what may they do? The decision is pure (`model`, `decide`); issuers and tokens are asked beside it."""
