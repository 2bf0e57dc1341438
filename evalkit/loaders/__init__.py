"""Datasets from files, lists and callables: `load` says how rows become cases, `read_dataset` reads them."""

from evalkit.loaders.file import DatasetFile, load
from evalkit.loaders.source import read_dataset

__all__ = ["DatasetFile", "load", "read_dataset"]
