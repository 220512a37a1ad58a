"""An old workspace as the predecessor leaves it: run logs of every age, pictures, and an app.db."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from studio import write_photograph

# The columns of the predecessor's tables, in its own order and with its own types.
SCHEMA = """
CREATE TABLE users (id TEXT PRIMARY KEY, username TEXT NOT NULL UNIQUE, display_name TEXT NOT NULL, email TEXT,
  is_active INTEGER NOT NULL DEFAULT 1, created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
CREATE TABLE projects (id TEXT PRIMARY KEY, user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  slug TEXT NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL DEFAULT '', status TEXT NOT NULL DEFAULT 'active',
  settings_json TEXT NOT NULL DEFAULT '{}', created_at TEXT NOT NULL, updated_at TEXT NOT NULL, owner_user_id TEXT,
  UNIQUE (user_id, slug));
CREATE TABLE runs (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, status TEXT, stage TEXT, created_at TEXT,
  run_log_path TEXT, run_mode TEXT, mode TEXT, time_of_day TEXT, weather TEXT, model_name TEXT, model TEXT,
  provider_code TEXT, settings_snapshot_json TEXT, meta_json TEXT, started_at TEXT, finished_at TEXT, image_size TEXT,
  image_quality TEXT);
CREATE TABLE run_jobs (id TEXT PRIMARY KEY, run_id TEXT NOT NULL, job_key TEXT, status TEXT, created_at TEXT,
  prompt_text TEXT, selected_candidate INTEGER, selected_candidate_index INTEGER, final_asset_id TEXT,
  final_output TEXT, meta_json TEXT);
CREATE TABLE run_job_candidates (id TEXT PRIMARY KEY, job_id TEXT NOT NULL, candidate_index INTEGER, status TEXT,
  output_path TEXT, final_output_path TEXT, created_at TEXT, rank_hard_failures INTEGER, rank_soft_warnings INTEGER,
  rank_avg_chroma_exceed REAL, meta_json TEXT);
CREATE TABLE run_candidates (id TEXT PRIMARY KEY, job_id TEXT NOT NULL, candidate_index INTEGER, status TEXT,
  output_asset_id TEXT, final_asset_id TEXT, output_path TEXT, final_output_path TEXT, rank_hard_failures INTEGER,
  rank_soft_warnings INTEGER, rank_avg_chroma_exceed REAL, meta_json TEXT, created_at TEXT);
CREATE TABLE assets (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, kind TEXT, storage_uri TEXT, created_at TEXT,
  asset_kind TEXT, rel_path TEXT, storage_backend TEXT, mime_type TEXT, width INTEGER, height INTEGER, sha256 TEXT,
  run_id TEXT, job_id TEXT, candidate_id TEXT, metadata_json TEXT, meta_json TEXT);
CREATE TABLE asset_links (id TEXT PRIMARY KEY, project_id TEXT NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
  parent_asset_id TEXT NOT NULL, child_asset_id TEXT NOT NULL, link_type TEXT NOT NULL, created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL, UNIQUE (project_id, parent_asset_id, child_asset_id, link_type));
CREATE TABLE project_storage (id TEXT PRIMARY KEY, project_id TEXT NOT NULL UNIQUE, total_bytes INTEGER NOT NULL
  DEFAULT 0, used_bytes INTEGER NOT NULL DEFAULT 0, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
  local_base_dir TEXT NOT NULL DEFAULT 'var/projects', local_project_root TEXT, s3_enabled INTEGER NOT NULL DEFAULT 0);
CREATE TABLE cost_events (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, run_id TEXT, job_id TEXT, provider_code TEXT,
  model_name TEXT, event_type TEXT, units REAL, unit_cost_usd REAL, total_cost_usd REAL, currency TEXT, meta_json TEXT,
  created_at TEXT);
CREATE TABLE style_guides (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, name TEXT NOT NULL,
  instructions TEXT NOT NULL, notes TEXT, created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
CREATE TABLE project_secrets (project_id TEXT NOT NULL, provider_code TEXT NOT NULL, secret_name TEXT NOT NULL,
  secret_value TEXT NOT NULL, key_ref TEXT NOT NULL DEFAULT 'local-master', created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL, PRIMARY KEY (project_id, provider_code, secret_name));
CREATE TABLE quality_reports (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, run_id TEXT, asset_id TEXT,
  report_type TEXT, grade TEXT, hard_failures INTEGER, soft_warnings INTEGER, avg_chroma_exceed REAL,
  summary_json TEXT, created_at TEXT, meta_json TEXT);
"""
SECRET = "sk-live-do-not-copy-me"
WHEN = "2024-05-01T10:11:12Z"
GUARD = {"enabled": True, "enforce_grayscale": False, "max_chroma_delta": 2.0, "fail_on_chroma_exceed": False}


def candidate(index: int, output: str, final: str | None = None, **more: Any) -> dict[str, Any]:
    """A finished candidate as the last version logs it."""
    final = output if final is None else final
    rank = {"hard_failures": 0, "soft_warnings": 0, "avg_chroma_exceed": 0.5 * index}
    facts = {"candidate_index": index, "output": output, "status": "done", "rank": rank, "final_output": final}
    checked = {"checked_input": final, "summary": {"total_files": 1, "hard_failures": 0, "soft_warnings": 0}}
    guard = checked | {"files": [{"file": final, "chroma_delta": 1.25}], "bad_archive": None}
    return facts | {"output_guard": guard} | more


def job(name: str, candidates: list[dict[str, Any]], *inputs: str, **more: Any) -> dict[str, Any]:
    """A job of a real run; the first candidate has won."""
    facts = {
        "id": name,
        "mode": "style",
        "time": "day",
        "weather": "clear",
        "input_images": list(inputs),
        "prompt": "One noir drawing hand.",
        "status": "done",
        "planned_generation": {"candidates": len(candidates)},
        "selected_candidate": candidates[0].get("candidate_index") if candidates else None,
        "final_output": candidates[0].get("final_output") if candidates else None,
        "candidates": candidates,
    }
    return facts | more


def run_log(*jobs: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A whole log of the last version."""
    facts = {
        "timestamp": "1714558272.345Z",
        "project": "noir",
        "stage": "style",
        "time": "day",
        "weather": "clear",
        "mode": "run",
        "model": "gpt-image-1",
        "size": "1024x1536",
        "quality": "high",
        "generation": {"candidates": 2, "max_candidates": 6},
        "postprocess": {"upscale": False, "color": False, "bg_remove": False, "pipeline_order": ["generate"]},
        "output_guard": GUARD,
        "storage": {"project_root": "var/projects/noir", "resolved_from_backend": False},
        "jobs": list(jobs),
    }
    return facts | more


@dataclass
class OldStudio:
    """Builds an old workspace below a folder."""

    root: Path
    slug: str = "noir"
    seeds: int = 100
    _numbers: int = field(default=0)

    @property
    def project(self) -> Path:
        return self.root / "var" / "projects" / self.slug

    @property
    def database(self) -> Path:
        return self.root / "var" / "backend" / "app.db"

    def picture(self, path: str, seed: int | None = None, width: int = 48, height: int = 64) -> str:
        """Write a picture and give its path as logs name it, relative to the root."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        self._numbers += 1
        write_photograph(place, self._numbers if seed is None else seed, width, height)
        return path

    def own(self, path: str, seed: int | None = None) -> str:
        """Write a picture of the project."""
        return self.picture(f"var/projects/{self.slug}/{path}", seed)

    def log(self, document: Any, name: str = "run_1714558272-345.json") -> Path:
        """Write a run log."""
        place = self.project / "runs" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        text = document if isinstance(document, str) else json.dumps(document, indent=2) + "\n"
        place.write_text(text, encoding="utf-8")
        return place

    def one_run(self) -> Path:
        """A run of one scene with two candidates and a style reference, as the last version leaves it."""
        scene, style = self.picture("photos/Quay at dawn.png"), self.picture("references/ink.png")
        made = [candidate(n, self.own(f"outputs/style_1_quay__c{n}.png")) for n in (1, 2)]
        return self.log(run_log(job("style_1_quay", made, scene, style)))

    def connect(self) -> sqlite3.Connection:
        """Open the database, and make it as the predecessor does: WAL, foreign keys."""
        self.database.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self.database)
        connection.execute("PRAGMA journal_mode = WAL")
        if not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
            connection.executescript(SCHEMA)
        return connection

    def fill(self, connection: sqlite3.Connection) -> None:
        """Write a user, the project, a style guide and a secret."""
        rows = {
            "users": ("u1", "local", "Local", None, 1, WHEN, WHEN),
            "projects": ("p1", "u1", self.slug, "Noir City", "Rain and ink.", "active", "{}", WHEN, WHEN, "u1"),
            "project_storage": ("s1", "p1", 0, 0, WHEN, WHEN, "var/projects", None, 0),
            "style_guides": ("g1", "p1", "Ash and Ink", "Thick lines.", None, WHEN, WHEN),
            "project_secrets": ("p1", "openai", "api_key", SECRET, "local-master", WHEN, WHEN),
        }
        for table, row in rows.items():
            insert(connection, table, row)
        connection.commit()

    def ingest(self, connection: sqlite3.Connection, document: dict[str, Any], run_id: str, log_path: str) -> None:
        """Write the rows that the predecessor makes of a log."""
        meta = json.dumps(
            {key: document.get(key) for key in ("timestamp", "generation", "postprocess", "output_guard")}
        )
        mode, model = document["mode"], document["model"]
        drawn = (document["stage"], WHEN, log_path, mode, mode, document["time"], document["weather"], model, model)
        later = (None, meta, meta, None, None, document["size"], document["quality"])
        insert(connection, "runs", (run_id, "p1", "ok", *drawn, *later))
        for number, entry in enumerate(document["jobs"], 1):
            self._ingest_job(connection, entry, f"{run_id}-j{number}", run_id)
        connection.commit()

    def _ingest_job(self, connection: sqlite3.Connection, entry: dict[str, Any], job_id: str, run_id: str) -> None:
        chosen = entry.get("selected_candidate")
        row = (job_id, run_id, entry["id"], entry["status"], WHEN, entry["prompt"], chosen, chosen, None)
        insert(connection, "run_jobs", (*row, entry.get("final_output"), json.dumps(entry)))
        # A job without candidates gets one that nobody made.
        for made in entry.get("candidates") or [{"status": entry["status"], "candidate_index": 1}]:
            rank = made.get("rank", {})
            numbers = (rank.get("hard_failures", 0), rank.get("soft_warnings", 0), rank.get("avg_chroma_exceed", 0.0))
            facts = (made["candidate_index"], made["status"])
            paths = (made.get("output"), made.get("final_output"))
            name = f"{job_id}-c{made['candidate_index']}"
            insert(connection, "run_candidates", (name, job_id, *facts, None, None, *paths, *numbers, "{}", WHEN))
            insert(connection, "run_job_candidates", (name, job_id, *facts, *paths, WHEN, *numbers, "{}"))

    def asset(
        self, connection: sqlite3.Connection, name: str, path: str, sha256: str | None = None, when: str | None = WHEN
    ) -> None:
        """Write a row of an asset."""
        row = (name, "p1", "upload", path, when, "upload", path, None, None, None, None, sha256, None, None, None)
        insert(connection, "assets", (*row, "{}", "{}"))

    def link(self, connection: sqlite3.Connection, parent: str, child: str, kind: str = "variant_of") -> None:
        """Write a row of a link."""
        insert(connection, "asset_links", (f"{parent}-{child}", "p1", parent, child, kind, WHEN, WHEN))


def insert(connection: sqlite3.Connection, table: str, row: tuple[Any, ...]) -> None:
    connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)


def everything(folder: Path) -> dict[str, tuple[str, int]]:
    """Content and time of every file below a folder, and every folder's time."""
    found = {}
    for path in sorted(folder.rglob("*")):
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        found[str(path.relative_to(folder))] = (content, os.lstat(path).st_mtime_ns)
    return found
