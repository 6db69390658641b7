"""The database's schema, as steps that are run once and in order. A step that was released is never changed."""

from __future__ import annotations

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE conversations (
        id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL DEFAULT '', head INTEGER, forked_from INTEGER,
        created_at REAL NOT NULL, updated_at REAL NOT NULL);
    CREATE TABLE turns (
        id INTEGER PRIMARY KEY AUTOINCREMENT, conversation INTEGER NOT NULL, parent INTEGER, request TEXT NOT NULL,
        status TEXT NOT NULL, answer TEXT NOT NULL DEFAULT '', thinking TEXT NOT NULL DEFAULT '',
        notes TEXT NOT NULL DEFAULT '[]', error TEXT, figures TEXT, seed INTEGER NOT NULL DEFAULT 0,
        created_at REAL NOT NULL, ended_at REAL);
    CREATE INDEX turns_by_conversation ON turns (conversation);
    CREATE INDEX turns_by_parent ON turns (parent);
    CREATE TABLE calls (
        id INTEGER PRIMARY KEY AUTOINCREMENT, turn INTEGER NOT NULL REFERENCES turns (id) ON DELETE CASCADE,
        round INTEGER NOT NULL, number INTEGER NOT NULL, tool TEXT NOT NULL, arguments TEXT NOT NULL,
        effect TEXT NOT NULL, scope TEXT NOT NULL, needs TEXT NOT NULL, status TEXT NOT NULL, reason TEXT,
        may_remember INTEGER NOT NULL, untrusted_before INTEGER NOT NULL, text TEXT NOT NULL DEFAULT '', result TEXT,
        untrusted INTEGER NOT NULL DEFAULT 0, error TEXT, seconds REAL);
    CREATE INDEX calls_by_turn ON calls (turn);
    CREATE TABLE timers (
        id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, label TEXT NOT NULL, due_at REAL NOT NULL,
        seconds REAL, status TEXT NOT NULL, late INTEGER NOT NULL DEFAULT 0, repeats TEXT, created_at REAL NOT NULL);
    CREATE INDEX timers_by_status ON timers (status, due_at);
    CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL, created_at REAL NOT NULL);
    CREATE TABLE lists (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE COLLATE NOCASE);
    CREATE TABLE items (
        id INTEGER PRIMARY KEY AUTOINCREMENT, list INTEGER NOT NULL REFERENCES lists (id) ON DELETE CASCADE,
        text TEXT NOT NULL);
    CREATE TABLE calendar (
        id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL, day TEXT NOT NULL, time TEXT,
        created_at REAL NOT NULL);
    CREATE TABLE grants (
        id INTEGER PRIMARY KEY AUTOINCREMENT, tool TEXT NOT NULL, scope TEXT NOT NULL, created_at REAL NOT NULL,
        UNIQUE (tool, scope));
    CREATE TABLE home (key TEXT PRIMARY KEY, value TEXT NOT NULL);
    """,
)
