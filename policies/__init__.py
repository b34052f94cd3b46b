"""One policy a file; `availability_first` composes them."""
