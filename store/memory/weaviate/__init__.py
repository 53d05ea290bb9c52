"""The memory on a Weaviate server: a rebuildable index over SQL, whose outages no customer notices."""
