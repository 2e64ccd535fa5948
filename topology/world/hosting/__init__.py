"""Hosted mail: companies' people read their mail here instead of at their carrier.

    sender ── firewall ── SMTP in ─┬─ archive          a copy of every mail, on other storage, before the 250
                             │     └─ mailboxes        which of them says the
                             └─ authentication         database: which user has which mailbox

The firewall is Toxiproxy; mailboxes and archive run `carrier-mail`, as a carrier's own mail does.
"""
