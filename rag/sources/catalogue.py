"""The price list as knowledge: one chunk per active row, from the very rows that checkout charges."""

import re
from pathlib import Path

from billing.catalogue import CatalogueItem, read_catalogue
from billing.rupiah import format_rupiah
from rag.sources.chunk import Chunk, ChunkKind, SourceReading, make_chunk


def read_catalogue_chunks(path: Path, *, source: str) -> SourceReading:
    """Chunks of a catalogue file; rows that are not active make none."""
    reading = read_catalogue(path)
    return SourceReading(
        chunks=[item_chunk(item, source=source) for item in reading.items if item.active],
        problems=list(reading.problems),
    )


def item_chunk(item: CatalogueItem, *, source: str) -> Chunk:
    """One row. What is sent after payment stays out: it is what the customer pays for."""
    text = item_text(item)
    # "ih 20" is how people type the code that they read as "IH20".
    spaced_code = re.sub(r"(?<=[A-Z])(?=\d)", " ", item.code)
    return make_chunk(
        id=f"katalog:{item.code}",
        source=source,
        kind=ChunkKind.CATALOGUE,
        title=item.name,
        text=text,
        searched=f"harga paket produk {item.name} kode {item.code} {spaced_code}\n{text}",
        embed_text=f"Harga {item.name}\n{text}",
        metadata={"kode": item.code},
    )


def item_text(item: CatalogueItem) -> str:
    """ "Internet 20 Mbps (kode IH20): Rp275.000 per bulan. Stok tersedia. Keterangan." """
    per_unit = f" per {item.unit}" if item.unit else ""
    description = item.description.rstrip(".")
    parts = [f"{item.name} (kode {item.code}): {format_rupiah(item.price_idr)}{per_unit}", _stock(item)]
    # A description that ends in its own mark needs no full stop behind it.
    ending = "" if description.endswith(("!", "?")) else "."
    return ". ".join(parts) + "." + (f" {description}{ending}" if description else "")


def _stock(item: CatalogueItem) -> str:
    if item.stock is None:
        return "Stok tersedia"
    return "Stok habis" if item.sold_out else f"Stok sisa {item.stock}"
