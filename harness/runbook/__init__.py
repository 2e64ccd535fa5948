"""Runbooks: what is done, step by step, when a region goes; each step with a command, a proof and a time.

    scenarios/runbooks/*.yaml ── reading ── Runbook ─┬─ engine ────┬─ attempts ── events, runbooks.jsonl
                                               │     └─ rehearsal ─┘     │
                                            parameters       commands (do something), proofs (look from outside)

A step is proven, or the runbook stops there. What was reached is on disk before anything is done, so that a runbook
that was interrupted goes on at the step where it stopped; a command that is given again changes nothing more.
In a rehearsal a person does what the engine does otherwise, in whatever order they choose.
"""
