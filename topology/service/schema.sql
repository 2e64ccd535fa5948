-- The service's tables. Run as often as one likes, by several at once: one after another.
-- Times ending in _ns are CLOCK_MONOTONIC nanoseconds of the host that all nodes share.

SELECT pg_advisory_xact_lock(hashtext('schema'));

-- Customers ---------------------------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS companies (
    company  integer PRIMARY KEY,
    name     text NOT NULL,
    areas    text[] NOT NULL,           -- seismic area codes; none of them: everywhere
    least    text NOT NULL CHECK (least IN ('1', '2', '3', '4', '5-', '5+', '6-', '6+', '7')),
    tsunami  boolean NOT NULL,
    special  boolean NOT NULL,
    coasts      text[] NOT NULL DEFAULT '{}',  -- where tsunami warnings concern it; none of them: everywhere
    prefectures text[] NOT NULL DEFAULT '{}',  -- the same of special weather warnings
    standing boolean NOT NULL
);

CREATE TABLE IF NOT EXISTS admins (
    company  integer NOT NULL REFERENCES companies,
    name     text NOT NULL,
    password text NOT NULL,             -- argon2
    PRIMARY KEY (company, name)
);

CREATE TABLE IF NOT EXISTS people (
    person   integer PRIMARY KEY,
    company  integer NOT NULL REFERENCES companies,
    name     text NOT NULL,
    area     text NOT NULL,
    carrier  text NOT NULL,
    address  bytea NOT NULL             -- mail address, AES-256-GCM, bound to this person
);
CREATE INDEX IF NOT EXISTS people_of_company ON people (company, person);

-- The feed: what the agency sent ------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS telegrams (
    number   bigint PRIMARY KEY,
    sha256   bytea NOT NULL UNIQUE,     -- two receivers get every telegram
    kind     text NOT NULL,
    event    text NOT NULL,
    info     text NOT NULL,
    status   text NOT NULL,
    reported timestamptz NOT NULL,
    serial   integer NOT NULL,
    areas    jsonb NOT NULL,
    tsunami  boolean NOT NULL,
    special  boolean NOT NULL,
    received_at_ns bigint NOT NULL,
    receiver text NOT NULL,
    body     bytea NOT NULL
);

-- What came in and is no telegram.
CREATE TABLE IF NOT EXISTS refused (
    sha256   bytea PRIMARY KEY,
    problem  text NOT NULL,
    received_at_ns bigint NOT NULL,
    receiver text NOT NULL,
    body     bytea NOT NULL
);

-- Numbers are given out one commit after another, so no number ever appears below one that was already seen. The lock
-- is held until the commit is done in both zones; being one statement, it cannot be held by a receiver that vanished.
CREATE OR REPLACE FUNCTION store_telegram(
    the_sha256 bytea, the_kind text, the_event text, the_info text, the_status text, the_report timestamptz,
    the_serial integer, the_areas jsonb, is_tsunami boolean, is_special boolean, the_arrival bigint, the_receiver text,
    the_body bytea
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    given bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('telegrams'));
    INSERT INTO telegrams
    SELECT coalesce(max(number), 0) + 1, the_sha256, the_kind, the_event, the_info, the_status, the_report, the_serial,
           the_areas, is_tsunami, is_special, the_arrival, the_receiver, the_body
    FROM telegrams
    ON CONFLICT (sha256) DO NOTHING
    RETURNING number INTO given;
    RETURN given;                       -- null: the other receiver was first
END $$;

-- Events: what the alerters make of it ------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS reports (
    number   bigint PRIMARY KEY,        -- as the feed numbers its telegrams
    event    text NOT NULL,
    kind     text NOT NULL,
    info     text NOT NULL,
    status   text NOT NULL,
    reported timestamptz NOT NULL,
    serial   integer NOT NULL,
    areas    jsonb NOT NULL,
    tsunami  boolean NOT NULL,
    special  boolean NOT NULL,
    received_at_ns bigint NOT NULL
);
CREATE INDEX IF NOT EXISTS reports_of_event ON reports (event, number);

CREATE TABLE IF NOT EXISTS events (
    event    text PRIMARY KEY,
    kind     text NOT NULL,             -- of its first telegram
    info     text NOT NULL,             -- of its latest telegram
    status   text NOT NULL,             -- of its latest telegram
    received_at_ns bigint NOT NULL,     -- when its first telegram arrived
    due_at_ns bigint,                   -- when the hold ends; null: nothing stands that could alert anybody
    cancelled boolean NOT NULL,
    broadcast_at_ns bigint,             -- when the first company was told
    latest   bigint NOT NULL,           -- number of the latest telegram that this row knows of
    settled  bigint NOT NULL DEFAULT 0  -- number of the latest telegram after which everyone concerned was told
);
CREATE INDEX IF NOT EXISTS events_unsettled ON events (due_at_ns) WHERE settled < latest;

-- Broadcasts, their mails and the answers ---------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS broadcasts (
    broadcast bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event    text NOT NULL,
    company  integer NOT NULL REFERENCES companies,
    at_ns    bigint NOT NULL,
    made_at  timestamptz NOT NULL DEFAULT now(),
    people   integer NOT NULL,
    standing boolean NOT NULL,
    CONSTRAINT told_once UNIQUE (event, company)
);
CREATE INDEX IF NOT EXISTS broadcasts_of_company ON broadcasts (company, broadcast);

-- The outbox: mails that leave together, to the people of one broadcast between two numbers.
CREATE TABLE IF NOT EXISTS batches (
    broadcast bigint NOT NULL REFERENCES broadcasts,
    first    integer NOT NULL,
    last     integer NOT NULL,
    provider text,                      -- the site that may have taken it; it alone is asked again
    claimed_by text,
    claimed_until timestamptz,          -- after that the claimant is taken for dead
    sent_at_ns bigint,                  -- when the provider had taken all of it
    PRIMARY KEY (broadcast, first)
);
CREATE INDEX IF NOT EXISTS batches_unsent ON batches (broadcast, first) WHERE sent_at_ns IS NULL;

-- One row per person and broadcast, there from the start, so that an answer is a change of one row.
CREATE TABLE IF NOT EXISTS answers (
    token    uuid PRIMARY KEY DEFAULT gen_random_uuid(),    -- the personal link: 122 bits from a strong source
    broadcast bigint NOT NULL,
    company  integer NOT NULL,
    person   integer NOT NULL,
    status   text CHECK (status IN ('safe', 'slight', 'help')),
    come     boolean,
    comment  text,
    answered_at_ns bigint,              -- when this answer first arrived
    answered_at timestamptz,
    version  integer NOT NULL DEFAULT 0,    -- how often the answer was set; a form says which one it would replace
    UNIQUE (broadcast, person)
) WITH (fillfactor = 80);
