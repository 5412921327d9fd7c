// The schema, one step a version. A step that has been released is never edited: add the next.

/** Step n brings a database from `user_version` n to n + 1. */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE holding (
     region TEXT PRIMARY KEY,
     residents INTEGER NOT NULL CHECK (residents >= 0),
     refreshed_at_ms INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;

   CREATE TABLE resident (
     resident_id TEXT PRIMARY KEY,
     resident_token TEXT NOT NULL UNIQUE,
     home_region TEXT NOT NULL,
     status TEXT NOT NULL CHECK (status IN ('green', 'yellow', 'red')),
     updated_at_ms INTEGER NOT NULL,
     test_time_ms INTEGER,
     test_result TEXT CHECK (test_result IN ('negative', 'positive', 'pending'))
   ) STRICT, WITHOUT ROWID;

   CREATE TABLE test (
     test_id TEXT NOT NULL UNIQUE,
     resident_id TEXT NOT NULL REFERENCES resident (resident_id),
     result TEXT NOT NULL CHECK (result IN ('negative', 'positive', 'pending')),
     sampled_at_ms INTEGER NOT NULL,
     reported_at_ms INTEGER NOT NULL,
     laboratory TEXT,
     origin_region TEXT NOT NULL
   ) STRICT;
   CREATE INDEX test_of_resident ON test (resident_id, sampled_at_ms);

   CREATE TABLE answer (
     idempotency_key TEXT PRIMARY KEY,
     request_digest TEXT NOT NULL,
     body TEXT NOT NULL,
     answered_at_ms INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX answer_by_age ON answer (answered_at_ms);`,
]
