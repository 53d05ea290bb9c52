"""A real Weaviate server on this machine, for tests, benchmarks and the demo."""
