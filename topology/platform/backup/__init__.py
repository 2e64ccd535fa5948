"""Backups: full copies of the database cluster and its log, kept elsewhere, sealed, and restorable to an instant.

Made of PostgreSQL's own programs: `pg_basebackup` for the generations, `pg_receivewal` for the log, `pg_verifybackup`
and a server that replays the log for the proof. What they write is sealed with age (X25519, ChaCha20-Poly1305; the
`pyrage` wheel) on its way: plain bytes are only ever in memory, the base backup in a pipe, at most two segments of
the log in the node's memory-backed scratch space.

Why not Barman, the usual tool: it encrypts a base backup after all of it lies on the disk in plain text, and keeps
the log in plain text until the next run of its archiver. Here a test holds the disk to having never seen a plain byte
(tests/topology/platform/backup/test_never_plain.py). Barman also restores with rsync and encrypts with GnuPG, which
are no wheels: where there is nothing but wheels it could take backups that nobody can restore. Its driver would be no
reason: its metadata asks for psycopg2, which has to be compiled, but the same module comes as the wheel
psycopg2-binary.
"""
