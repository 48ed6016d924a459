"""Tasks on other processes and machines, by Dask. It is the one room that knows Dask, and imports it late."""
