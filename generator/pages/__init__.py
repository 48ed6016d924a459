"""One module a page kind: what its template gets."""
