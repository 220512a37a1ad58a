"""Painters and other engines that make or change pictures; only the workbench opens them."""
