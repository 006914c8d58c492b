"""The six functions as zips: what goes into them, the same bytes everywhere, and where a stack finds them."""
