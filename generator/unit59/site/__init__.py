"""The site stage: results in, a static site out. Never imports torch."""
