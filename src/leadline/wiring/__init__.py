"""Where drivers and use cases meet: the only modules that edges reach drivers through."""
