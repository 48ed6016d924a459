"""Statistics, without torch: intervals, rates, correlations, false discoveries."""
