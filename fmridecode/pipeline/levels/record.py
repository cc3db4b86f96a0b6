"""What a run leaves behind about itself."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from fmridecode import __version__
from fmridecode.bids.atomic import write_atomically
from fmridecode.config import RunConfig, to_toml
from fmridecode.report import write_citation


def write_run(level: str, bids_dir: Path, output_dir: Path, config: RunConfig) -> None:
    """Leave the resolved config, which re-runs the job, how it was started, and what to cite."""
    started = datetime.now(UTC)
    run = {
        "level": level,
        "bids_dir": str(bids_dir.absolute()),
        "output_dir": str(output_dir.absolute()),
        "version": __version__,
        "started": started.isoformat(timespec="seconds"),
        "command": " ".join(sys.argv),
    }
    # not the process id: in containers of one array all may be 1
    name = f"{started:%Y%m%dT%H%M%S}_{level}_{uuid4().hex[:8]}.toml"
    write_atomically(output_dir / "logs" / name, to_toml(config, run).encode())
    write_citation(output_dir)
