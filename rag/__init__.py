"""Knowledge, embeddings, retrieval, prompt and checked answer."""
