"""The house rules that no linter holds: public names, lazy loading, sizes."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import kroma_nb as kn
from kroma_nb import tools, workbench

PACKAGE = Path(kn.__file__).parent

HANDLES = [
    *(workbench.Workbench, workbench.Projects, workbench.Project, workbench.PlannedRun, workbench.Runs, workbench.Run),
    *(workbench.Candidates, workbench.Candidate, workbench.Assets, workbench.Asset, workbench.Diff),
    *(workbench.Lineage, workbench.Affected, workbench.Costs, workbench.Proof),
    *(tools.ToolResult, tools.Judgement),
]

PUBLIC = {
    "kroma_nb.batch": ["describe_notebook", "list_notebooks", "run_notebook"],
    "kroma_nb": ["open_workbench"],
    "kroma_nb.exchange": ["find_tree", "read_database", "read_log"],
    "kroma_nb.images": ["encode_png", "load", "probe", "thumbnail"],
    "kroma_nb.passes": ["color", "generate", "upscale"],
    "kroma_nb.planning": ["load_manifest", "plan", "validate_config"],
    "kroma_nb.qa": ["chroma_delta", "examine", "guard", "rank_candidates"],
    "kroma_nb.report": ["compare_runs", "contact_sheet", "gallery", "run_table"],
    "kroma_nb.run": ["execute", "fold", "read_run"],
    "kroma_nb.workbench.tools": ["color", "cut_out", "enlarge", "judge", "print_files"],
}


@pytest.mark.parametrize("room", PUBLIC)
def test_the_names_that_others_build_on_are_functions(room: str) -> None:
    module = __import__(room, fromlist=PUBLIC[room])

    assert [name for name in PUBLIC[room] if not inspect.isfunction(getattr(module, name))] == []


def test_the_package_offers_exactly_these_names() -> None:
    rooms = [
        "batch",
        "blobs",
        "errors",
        "exchange",
        "images",
        "model",
        "passes",
        "planning",
        "qa",
        "report",
        "run",
        "settings",
        "tools",
        "workbench",
    ]

    assert dir(kn) == sorted(["__version__", "open_workbench", *rooms])
    assert all(getattr(kn, name) is not None for name in dir(kn))
    with pytest.raises(AttributeError, match="brushes"):
        _ = kn.brushes


def test_importing_the_package_loads_none_of_its_rooms() -> None:
    probe = "import sys, kroma_nb; print([name for name in sys.modules if name.startswith(('kroma_nb', 'numpy'))])"

    loaded = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == "['kroma_nb']"


@pytest.mark.parametrize("handle", HANDLES)
def test_a_handle_has_at_most_twelve_public_members(handle: type) -> None:
    assert len([name for name in dir(handle) if not name.startswith("_")]) <= 12


def test_no_module_has_more_than_400_lines() -> None:
    modules = [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.js")]

    assert [str(path) for path in modules if len(path.read_text().splitlines()) > 400] == []


def test_every_module_says_in_one_sentence_what_lives_there() -> None:
    first_lines = {path: path.read_text().splitlines()[0] for path in PACKAGE.rglob("*.py")}

    assert [path.name for path, line in first_lines.items() if not line.startswith('"""') or line == '"""."""'] == []


@pytest.mark.parametrize("room", ["kroma_nb.run", "kroma_nb.report", "kroma_nb.planning"])
def test_no_public_name_of_a_lazy_room_is_also_a_module_of_it(room: str) -> None:
    # Whoever imports the module first would find the module under the name.
    module = __import__(room, fromlist=["__all__"])
    files = {path.stem for path in Path(module.__file__).parent.glob("*.py")}

    assert set(module.__all__) & files == set()
    assert all(getattr(module, name) is not None for name in module.__all__)


def test_opening_a_workbench_loads_nothing_that_draws_or_plots(tmp_path: Path) -> None:
    probe = "import sys, kroma_nb as kn\nkn.open_workbench(sys.argv[1]).index.store\n"
    probe += (
        "print([name for name in ('cv2', 'numpy', 'pandas', 'matplotlib', 'PIL', 'IPython') if name in sys.modules])"
    )
    command = [sys.executable, "-c", probe, str(tmp_path)]

    loaded = subprocess.run(command, capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == "[]"


def test_the_command_line_knows_its_commands_before_it_loads_what_they_need() -> None:
    heavy = ("pydantic", "numpy", "sqlalchemy", "pandas", "papermill")
    probe = f"import sys, kroma_nb.cli; print([name for name in {heavy} if name in sys.modules])"

    loaded = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == "[]"
