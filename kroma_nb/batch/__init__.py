"""Notebooks without a person: parameters checked, papermill called, the executed notebook filed with its runs."""

from kroma_nb.batch.running import NotebookRun, run_notebook
from kroma_nb.batch.telling import NotebookDescription, describe_notebook, list_notebooks

__all__ = ["NotebookDescription", "NotebookRun", "describe_notebook", "list_notebooks", "run_notebook"]
