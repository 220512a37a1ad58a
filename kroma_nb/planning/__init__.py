"""From files and a request to a frozen plan: manifest, inputs, prompts, jobs, passes, prices, gate."""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from kroma_nb.planning.backends_file import backend_options_of
    from kroma_nb.planning.build import plan
    from kroma_nb.planning.color_profiles import ColorProfiles, load_profiles
    from kroma_nb.planning.config import ConfigFiles, ConfigSummary, validate_config
    from kroma_nb.planning.finishing import plan_finishing
    from kroma_nb.planning.inputs import Discovered, discover
    from kroma_nb.planning.jobs_file import JobEntry, load_jobs_file
    from kroma_nb.planning.manifest import Manifest, SceneEntry, load_manifest
    from kroma_nb.planning.postprocess import PostprocessFile, load_postprocess, profile_now
    from kroma_nb.planning.price import capped, catalog_of, load_catalog
    from kroma_nb.planning.seeds import seed_of

# What only reads records must not wait for what draws pictures.
__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "backends_file": ["backend_options_of"],
        "build": ["plan"],
        "color_profiles": ["ColorProfiles", "load_profiles"],
        "config": ["ConfigFiles", "ConfigSummary", "validate_config"],
        "finishing": ["plan_finishing"],
        "inputs": ["Discovered", "discover"],
        "jobs_file": ["JobEntry", "load_jobs_file"],
        "manifest": ["Manifest", "SceneEntry", "load_manifest"],
        "postprocess": ["PostprocessFile", "load_postprocess", "profile_now"],
        "price": ["capped", "catalog_of", "load_catalog"],
        "seeds": ["seed_of"],
    },
)

__all__ = [
    "ColorProfiles",
    "ConfigFiles",
    "ConfigSummary",
    "Discovered",
    "JobEntry",
    "Manifest",
    "PostprocessFile",
    "SceneEntry",
    "backend_options_of",
    "capped",
    "catalog_of",
    "discover",
    "load_catalog",
    "load_jobs_file",
    "load_manifest",
    "load_postprocess",
    "load_profiles",
    "plan",
    "plan_finishing",
    "profile_now",
    "seed_of",
    "validate_config",
]
