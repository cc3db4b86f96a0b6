"""A resolved config, as the methods text asks for it."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A resolved config, asked for by table and key."""

    tables: dict[str, Any] = field(default_factory=dict)

    def get(self, table: str, key: str) -> Any:
        """Return a value, or None where the config does not have it."""
        found = self.tables.get(table)
        return found.get(key) if isinstance(found, dict) else None

    def number(self, table: str, key: str) -> float | None:
        """Return a number, or None where there is none."""
        value = self.get(table, key)
        return value if isinstance(value, (int, float)) and value is not True else None
