import GRDB

extension Migrations {
    /// Deliveries, commands, tasks with attempts, events and logs, jobs, steps, settings and secrets.
    static func createSpine(_ db: GRDB.Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE installations (
                    id INTEGER PRIMARY KEY,
                    account_id INTEGER NOT NULL,
                    account_login TEXT NOT NULL,
                    state TEXT NOT NULL CHECK (state IN ('active', 'suspended', 'deleted')),
                    updated_at INTEGER NOT NULL
                ) STRICT;

                CREATE TABLE repositories (
                    id INTEGER PRIMARY KEY,
                    installation_id INTEGER NOT NULL,
                    owner_id INTEGER NOT NULL,
                    owner_login TEXT NOT NULL,
                    name TEXT NOT NULL,
                    default_branch TEXT,
                    is_archived INTEGER NOT NULL DEFAULT 0 CHECK (is_archived IN (0, 1)),
                    is_enabled INTEGER NOT NULL DEFAULT 1 CHECK (is_enabled IN (0, 1)),
                    is_removed INTEGER NOT NULL DEFAULT 0 CHECK (is_removed IN (0, 1)),
                    updated_at INTEGER NOT NULL
                ) STRICT;

                CREATE TABLE tasks (
                    id TEXT PRIMARY KEY NOT NULL CHECK (id GLOB 'task_*' AND length(id) = 31),
                    state TEXT NOT NULL CHECK (state IN
                        ('queued', 'running', 'success', 'failed', 'timed_out', 'cancelled')),
                    reason TEXT,
                    detail TEXT,
                    repository_id INTEGER NOT NULL,
                    installation_id INTEGER NOT NULL,
                    owner_login TEXT NOT NULL,
                    repository_name TEXT NOT NULL,
                    issue_number INTEGER NOT NULL,
                    issue_title TEXT NOT NULL,
                    issue_body TEXT NOT NULL,
                    comment_id INTEGER NOT NULL,
                    comment_url TEXT NOT NULL,
                    author_id INTEGER NOT NULL,
                    author_login TEXT NOT NULL,
                    agent TEXT,
                    model TEXT,
                    priority TEXT NOT NULL CHECK (priority IN ('low', 'normal', 'high')),
                    instructions TEXT NOT NULL,
                    is_draft INTEGER NOT NULL CHECK (is_draft IN (0, 1)),
                    context TEXT NOT NULL CHECK (context IN ('writers', 'all')),
                    timeout INTEGER NOT NULL CHECK (timeout > 0),
                    branch TEXT NOT NULL,
                    base_branch TEXT,
                    base_given INTEGER NOT NULL DEFAULT 0 CHECK (base_given IN (0, 1)),
                    agent_given TEXT,
                    head_sha TEXT,
                    pr_number INTEGER,
                    pr_url TEXT,
                    status_comment_id INTEGER,
                    status_comment_url TEXT,
                    status_comment_body TEXT,
                    status_comment_at INTEGER,
                    ending_comment_id INTEGER,
                    ending_comment_url TEXT,
                    executor TEXT NOT NULL,
                    attempt INTEGER NOT NULL DEFAULT 0 CHECK (attempt BETWEEN 0 AND 3),
                    phase TEXT CHECK (phase IN
                        ('starting', 'clone', 'setup', 'agent', 'saving', 'publishing')),
                    phase_message TEXT,
                    phase_at INTEGER,
                    input_tokens INTEGER,
                    output_tokens INTEGER,
                    cost_usd REAL,
                    summary TEXT,
                    stop_requested_at INTEGER,
                    stop_reason TEXT,
                    created_at INTEGER NOT NULL,
                    admitted_at INTEGER,
                    started_at INTEGER,
                    finished_at INTEGER,
                    published_at INTEGER,
                    CHECK ((state IN ('queued', 'running')) = (finished_at IS NULL)),
                    CHECK (published_at IS NULL OR finished_at IS NOT NULL),
                    CHECK (state NOT IN ('failed', 'timed_out', 'cancelled') OR reason IS NOT NULL),
                    CHECK (state <> 'queued' OR attempt = 0),
                    CHECK (state NOT IN ('running', 'success', 'timed_out')
                        OR (attempt > 0 AND admitted_at IS NOT NULL)),
                    CHECK (admitted_at IS NULL OR (agent IS NOT NULL AND base_branch IS NOT NULL))
                ) STRICT;
                CREATE INDEX tasks_queued ON tasks (admitted_at) WHERE state = 'queued';
                CREATE INDEX tasks_running ON tasks (author_id) WHERE state = 'running';
                CREATE INDEX tasks_unpublished ON tasks (finished_at)
                    WHERE finished_at IS NOT NULL AND published_at IS NULL;
                CREATE INDEX tasks_issue ON tasks (repository_id, issue_number, id);
                CREATE INDEX tasks_author ON tasks (author_id, id);
                CREATE INDEX tasks_state ON tasks (state, id);
                CREATE UNIQUE INDEX tasks_comment ON tasks (comment_id);

                CREATE TABLE deliveries (
                    guid TEXT PRIMARY KEY NOT NULL,
                    event TEXT NOT NULL,
                    action TEXT,
                    digest BLOB NOT NULL,
                    task_id TEXT REFERENCES tasks (id),
                    received_at INTEGER NOT NULL
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX deliveries_age ON deliveries (received_at);

                CREATE TABLE missed_deliveries (
                    id INTEGER PRIMARY KEY,
                    guid TEXT NOT NULL UNIQUE,
                    event TEXT NOT NULL,
                    action TEXT,
                    delivered_at INTEGER NOT NULL
                ) STRICT;

                CREATE TABLE commands (
                    comment_id INTEGER PRIMARY KEY,
                    kind TEXT NOT NULL CHECK (kind IN
                        ('run', 'help', 'status', 'stop', 'retry', 'continue', 'mistake')),
                    repository_id INTEGER NOT NULL,
                    installation_id INTEGER NOT NULL,
                    owner_login TEXT NOT NULL,
                    repository_name TEXT NOT NULL,
                    issue_number INTEGER NOT NULL,
                    author_id INTEGER NOT NULL,
                    author_login TEXT NOT NULL,
                    target TEXT,
                    reason TEXT,
                    message TEXT,
                    task_id TEXT REFERENCES tasks (id),
                    received_at INTEGER NOT NULL,
                    permitted_at INTEGER,
                    answered_at INTEGER,
                    outcome TEXT CHECK (outcome IN ('answered', 'done', 'refused', 'suppressed', 'given_up')),
                    CHECK ((answered_at IS NULL) = (outcome IS NULL))
                ) STRICT;
                CREATE INDEX commands_issue ON commands (repository_id, issue_number, author_id, received_at);

                CREATE TABLE attempts (
                    task_id TEXT NOT NULL REFERENCES tasks (id),
                    number INTEGER NOT NULL CHECK (number BETWEEN 1 AND 3),
                    machine_name TEXT NOT NULL UNIQUE,
                    machine_id TEXT,
                    engine TEXT NOT NULL,
                    region TEXT,
                    machine_token_digest BLOB NOT NULL UNIQUE,
                    machine_token_sealed BLOB,
                    nonce_digest BLOB,
                    callback_token_digest BLOB UNIQUE,
                    claim_sealed BLOB,
                    claim_answered_at INTEGER,
                    created_at INTEGER NOT NULL,
                    launched_at INTEGER,
                    claimed_at INTEGER,
                    agent_started_at INTEGER,
                    stop_told_at INTEGER,
                    saving_at INTEGER,
                    heartbeat_at INTEGER,
                    ended_at INTEGER,
                    gone_at INTEGER,
                    launch_failure TEXT,
                    credentials_given INTEGER NOT NULL DEFAULT 0 CHECK (credentials_given BETWEEN 0 AND 3),
                    callbacks INTEGER NOT NULL DEFAULT 0,
                    log_bytes INTEGER NOT NULL DEFAULT 0,
                    log_stored_bytes INTEGER NOT NULL DEFAULT 0,
                    report_status TEXT CHECK (report_status IN
                        ('success', 'failed', 'cancelled', 'timed_out')),
                    report_reason TEXT,
                    report_head_sha TEXT,
                    report_exit_code INTEGER,
                    reported_at INTEGER,
                    PRIMARY KEY (task_id, number),
                    CHECK ((report_status IS NULL) = (reported_at IS NULL)),
                    CHECK (agent_started_at IS NULL OR claimed_at IS NOT NULL),
                    CHECK (claim_sealed IS NULL OR claim_answered_at IS NOT NULL),
                    CHECK (saving_at IS NULL OR claimed_at IS NOT NULL)
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX attempts_alive ON attempts (created_at) WHERE gone_at IS NULL;

                CREATE TABLE events (
                    id INTEGER PRIMARY KEY,
                    task_id TEXT NOT NULL REFERENCES tasks (id),
                    at INTEGER NOT NULL,
                    attempt INTEGER NOT NULL,
                    kind TEXT NOT NULL,
                    detail TEXT
                ) STRICT;
                CREATE INDEX events_task ON events (task_id, id);

                CREATE TABLE logs (
                    task_id TEXT NOT NULL REFERENCES tasks (id),
                    attempt INTEGER NOT NULL,
                    offset INTEGER NOT NULL,
                    text BLOB NOT NULL,
                    PRIMARY KEY (task_id, attempt, offset)
                ) STRICT, WITHOUT ROWID;

                CREATE TABLE prompts (
                    task_id TEXT PRIMARY KEY NOT NULL REFERENCES tasks (id),
                    text TEXT NOT NULL,
                    omissions TEXT NOT NULL CHECK (json_valid(omissions))
                ) STRICT, WITHOUT ROWID;

                CREATE TABLE tokens (
                    id INTEGER PRIMARY KEY,
                    task_id TEXT NOT NULL REFERENCES tasks (id),
                    attempt INTEGER NOT NULL,
                    purpose TEXT NOT NULL CHECK (purpose IN ('clone', 'push')),
                    sealed BLOB,
                    expires_at INTEGER NOT NULL,
                    revoked_at INTEGER,
                    CHECK ((sealed IS NULL) = (revoked_at IS NOT NULL))
                ) STRICT;
                CREATE INDEX tokens_live ON tokens (task_id) WHERE revoked_at IS NULL;

                CREATE TABLE jobs (
                    id INTEGER PRIMARY KEY AUTOINCREMENT,
                    subject TEXT NOT NULL,
                    kind TEXT NOT NULL,
                    run_at INTEGER NOT NULL,
                    tries INTEGER NOT NULL DEFAULT 0,
                    wanted INTEGER NOT NULL DEFAULT 1,
                    holder TEXT,
                    fence INTEGER NOT NULL DEFAULT 0,
                    UNIQUE (subject, kind)
                ) STRICT;
                CREATE INDEX jobs_due ON jobs (run_at) WHERE holder IS NULL;
                CREATE INDEX jobs_held ON jobs (subject) WHERE holder IS NOT NULL;

                CREATE TABLE steps (
                    key TEXT PRIMARY KEY NOT NULL,
                    task_id TEXT REFERENCES tasks (id),
                    began_at INTEGER NOT NULL,
                    called_at INTEGER,
                    calls INTEGER NOT NULL DEFAULT 0,
                    outcome TEXT,
                    done_at INTEGER,
                    CHECK ((outcome IS NULL) = (done_at IS NULL))
                ) STRICT, WITHOUT ROWID;

                CREATE TABLE settings (
                    scope TEXT NOT NULL,
                    name TEXT NOT NULL,
                    value TEXT NOT NULL CHECK (json_valid(value)),
                    updated_at INTEGER NOT NULL,
                    PRIMARY KEY (scope, name)
                ) STRICT, WITHOUT ROWID;

                CREATE TABLE secrets (
                    scope TEXT NOT NULL,
                    provider TEXT NOT NULL,
                    name TEXT NOT NULL,
                    sealed BLOB NOT NULL,
                    updated_at INTEGER NOT NULL,
                    PRIMARY KEY (scope, provider, name)
                ) STRICT, WITHOUT ROWID;

                CREATE TABLE marks (
                    name TEXT PRIMARY KEY NOT NULL,
                    value TEXT NOT NULL,
                    at INTEGER NOT NULL
                ) STRICT, WITHOUT ROWID;
                """)
    }
}
