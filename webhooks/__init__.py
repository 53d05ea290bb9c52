"""The payment process: a small server over the store. Today it serves its health; payments come next."""
