"""One module per file format of the knowledge folder; `read_folder` turns the folder into chunks."""

from rag.sources.chunk import Chunk, ChunkKind, FileReport, KnowledgeFolderError
from rag.sources.folder import FolderReading, read_folder

__all__ = ["Chunk", "ChunkKind", "FileReport", "FolderReading", "KnowledgeFolderError", "read_folder"]
