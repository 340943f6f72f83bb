"""The API and the page: what people and programs may ask of whoever writes the journal, over HTTP."""
