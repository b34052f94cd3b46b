"""Fleet and policy files: reading them strictly, writing them whole or not at all."""
