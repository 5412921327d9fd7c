// The schema, one step a version. A step that has been released is never edited: add the next.
import { createHash } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { syntheticToken } from '../synthetic.ts'
import { tokenCell, uuidCell } from './encoding.ts'

/** What the steps need beyond SQL. */
export function addMigrationFunctions(db: DatabaseSync): void {
  db.function('token_of_resident', (residentId) => tokenCell(syntheticToken(String(residentId))))
  db.function('uuid_of_test', (testId) => uuidCell(asUuid(String(testId))))
}

// Version 1 named synthetic tests otherwise. Any 16 bytes do, as long as they are the same on every node.
const asUuid = (testId: string): string =>
  /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(testId)
    ? testId
    : createHash('sha256').update(testId).digest('hex').slice(0, 32)

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

  // Version 2: sized for 13 million residents. Tokens only, words as small integers, no copy of a key in an
  // index of its own, and a place in the feed of changes.
  `ALTER TABLE resident RENAME TO resident_1;
   ALTER TABLE test RENAME TO test_1;
   CREATE TABLE resident (
     token BLOB PRIMARY KEY CHECK (length(token) = 16),
     home_region INTEGER NOT NULL CHECK (home_region BETWEEN 0 AND 999999),
     status INTEGER NOT NULL CHECK (status BETWEEN 0 AND 2),
     updated_at_ms INTEGER NOT NULL,
     test_time_ms INTEGER,
     test_result INTEGER CHECK (test_result BETWEEN 0 AND 2),
     epoch INTEGER NOT NULL CHECK (epoch >= 1),
     seq INTEGER NOT NULL CHECK (seq >= 1)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE test (
     token BLOB NOT NULL REFERENCES resident (token),
     sampled_at_ms INTEGER NOT NULL,
     reported_at_ms INTEGER NOT NULL,
     test_id BLOB NOT NULL CHECK (length(test_id) = 16),
     result INTEGER NOT NULL CHECK (result BETWEEN 0 AND 2),
     laboratory TEXT,
     origin_region INTEGER NOT NULL,
     PRIMARY KEY (token, sampled_at_ms, reported_at_ms, test_id)
   ) STRICT, WITHOUT ROWID;

   INSERT INTO resident
     SELECT token_of_resident(resident_id), CAST(home_region AS INTEGER),
       CASE status WHEN 'green' THEN 0 WHEN 'yellow' THEN 1 ELSE 2 END, updated_at_ms, test_time_ms,
       CASE test_result WHEN 'negative' THEN 0 WHEN 'pending' THEN 1 WHEN 'positive' THEN 2 END,
       1, row_number() OVER (PARTITION BY home_region ORDER BY updated_at_ms, resident_id)
     FROM resident_1;
   INSERT INTO test
     SELECT token_of_resident(resident_id), sampled_at_ms, reported_at_ms, uuid_of_test(test_id),
       CASE result WHEN 'negative' THEN 0 WHEN 'pending' THEN 1 ELSE 2 END, laboratory,
       CAST(origin_region AS INTEGER)
     FROM test_1;
   DROP TABLE test_1;
   DROP TABLE resident_1;
   CREATE UNIQUE INDEX resident_feed ON resident (home_region, epoch, seq);`,

  // Version 3: terminals.
  `CREATE TABLE terminal (
     terminal_id TEXT PRIMARY KEY,
     secret_hash BLOB NOT NULL CHECK (length(secret_hash) = 32),
     added_at_ms INTEGER NOT NULL,
     revoked_at_ms INTEGER
   ) STRICT, WITHOUT ROWID;`,

  // Version 4: registrations for screening, and what residents state of themselves.
  `CREATE TABLE registration (
     token BLOB NOT NULL REFERENCES resident (token),
     registered_at_ms INTEGER NOT NULL,
     received_at_ms INTEGER NOT NULL,
     registration_id BLOB NOT NULL CHECK (length(registration_id) = 16),
     site_id TEXT NOT NULL,
     tube_id TEXT,
     origin_region INTEGER NOT NULL,
     PRIMARY KEY (token, registered_at_ms, registration_id)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE statement (
     statement_id BLOB PRIMARY KEY CHECK (length(statement_id) = 16),
     token BLOB NOT NULL REFERENCES resident (token),
     kind TEXT NOT NULL CHECK (kind IN ('declaration', 'correction')),
     received_at_ms INTEGER NOT NULL,
     details TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX statement_of_resident ON statement (token, received_at_ms);`,

  // Version 5: paper and family codes.
  `CREATE TABLE carried_code (
     code_id BLOB PRIMARY KEY CHECK (length(code_id) = 16),
     family INTEGER NOT NULL CHECK (family IN (0, 1)),
     holder_token BLOB NOT NULL REFERENCES resident (token),
     issued_at_ms INTEGER NOT NULL,
     valid_until_ms INTEGER NOT NULL,
     lost_at_ms INTEGER
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX carried_code_of_resident ON carried_code (holder_token);
   CREATE TABLE carried_code_member (
     code_id BLOB NOT NULL REFERENCES carried_code (code_id),
     token BLOB NOT NULL REFERENCES resident (token),
     PRIMARY KEY (code_id, token)
   ) STRICT, WITHOUT ROWID;`,

  // Version 6: copies of other regions' residents, what was taken for them, and what home must look at.
  `CREATE TABLE copy (
     home_region INTEGER PRIMARY KEY,
     terms TEXT NOT NULL,
     epoch INTEGER NOT NULL,
     seq INTEGER NOT NULL,
     whole INTEGER NOT NULL CHECK (whole IN (0, 1)),
     current_at_ms INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE journal (
     entry INTEGER PRIMARY KEY AUTOINCREMENT,
     home_region INTEGER NOT NULL,
     token BLOB NOT NULL CHECK (length(token) = 16),
     write TEXT NOT NULL,
     epoch INTEGER,
     seq INTEGER
   ) STRICT;
   CREATE INDEX journal_waiting ON journal (home_region, entry) WHERE epoch IS NULL;
   CREATE INDEX journal_of_resident ON journal (token);
   CREATE TABLE review (
     record_id BLOB PRIMARY KEY CHECK (length(record_id) = 16),
     token BLOB NOT NULL CHECK (length(token) = 16),
     reason TEXT NOT NULL,
     home_status INTEGER,
     taken_status INTEGER,
     origin_region INTEGER NOT NULL,
     found_at_ms INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE purge (
     home_region INTEGER NOT NULL,
     donor INTEGER NOT NULL,
     purged_at_ms INTEGER NOT NULL,
     certificate TEXT NOT NULL,
     handed_over INTEGER NOT NULL CHECK (handed_over IN (0, 1)),
     PRIMARY KEY (home_region, donor, purged_at_ms)
   ) STRICT, WITHOUT ROWID;`,
]
