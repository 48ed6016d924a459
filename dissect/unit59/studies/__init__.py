"""Studies: experiments on a dissected model, one module each, each with a page of its own.

`base` says what a study is; `registry` knows those that a recipe may name under ``studies:``.
"""
