package wbschema

// DDL creates whatever is missing of the schema. An administrator may run it for
// a role that may not; the role then needs Grants. It names every object with
// its schema, so that no search_path leads it astray.
const DDL = `CREATE SCHEMA IF NOT EXISTS writebehind;

-- Up to which LSN each journal is applied. It moves in the transaction that carries the rows.
CREATE TABLE IF NOT EXISTS writebehind.checkpoint (
	journal   text PRIMARY KEY,
	lsn       bigint NOT NULL,
	epoch     bigint NOT NULL DEFAULT 0,
	updated   timestamptz NOT NULL DEFAULT pg_catalog.now(),
	abandoned boolean NOT NULL DEFAULT false
);

-- The processes that use the database. One is live while its heartbeat is younger than its life.
-- PID is that of a process on the machine; alone says that it may answer from its cache.
CREATE TABLE IF NOT EXISTS writebehind.instance (
	id               text PRIMARY KEY,
	journal          text NOT NULL,
	host             text NOT NULL,
	machine          text NOT NULL DEFAULT '',
	pid              int NOT NULL,
	path             text NOT NULL,
	application_name text NOT NULL,
	alone            boolean NOT NULL DEFAULT false,
	life             interval NOT NULL DEFAULT '10 seconds',
	heartbeat        timestamptz NOT NULL,
	started          timestamptz NOT NULL
);

-- The one process that may defer writes. While dirty, its journal holds some that are not flushed.
CREATE TABLE IF NOT EXISTS writebehind.owner (
	one       boolean PRIMARY KEY DEFAULT true CHECK (one),
	epoch     bigint NOT NULL,
	instance  text NOT NULL,
	journal   text NOT NULL,
	dirty     boolean NOT NULL,
	host      text,
	machine   text,
	pid       int,
	path      text,
	heartbeat timestamptz,
	groups    bigint NOT NULL DEFAULT 0
);
INSERT INTO writebehind.owner (epoch, instance, journal, dirty) VALUES (0, '', '', false) ON CONFLICT DO NOTHING;

-- Writes that PostgreSQL refused for good after they had been acknowledged.
CREATE TABLE IF NOT EXISTS writebehind.dead_letter (
	id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	time         timestamptz NOT NULL DEFAULT pg_catalog.now(),
	journal      text NOT NULL,
	lsn          bigint NOT NULL,
	position     int NOT NULL,
	table_schema text NOT NULL,
	table_name   text NOT NULL,
	key          jsonb NOT NULL,
	kind         text NOT NULL,
	set_columns  text[] NOT NULL,
	add_columns  text[] NOT NULL DEFAULT '{}',
	new_values   jsonb NOT NULL,
	sqlstate     text NOT NULL,
	message      text NOT NULL,
	UNIQUE (journal, lsn, position)
);
ALTER TABLE writebehind.dead_letter ADD COLUMN IF NOT EXISTS add_columns text[] NOT NULL DEFAULT '{}';

-- Gives up a journal whose process is gone: what it had acknowledged and not flushed is lost.
CREATE OR REPLACE FUNCTION writebehind.abandon(journal text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $abandon$
DECLARE
	o writebehind.owner;
BEGIN
	SELECT * INTO o FROM writebehind.owner FOR UPDATE;
	IF EXISTS (SELECT FROM writebehind.instance AS i
		WHERE i.journal = abandon.journal AND i.heartbeat > clock_timestamp() - i.life) THEN
		RAISE EXCEPTION 'journal "%" is in use by a live process', abandon.journal
			USING ERRCODE = 'object_in_use', HINT = 'End the process first; it counts as live for a few seconds after its end.';
	END IF;
	IF abandon.journal = '' OR o.journal <> abandon.journal
		AND NOT EXISTS (SELECT FROM writebehind.checkpoint AS c WHERE c.journal = abandon.journal) THEN
		RAISE EXCEPTION 'journal "%" is not known to this database', abandon.journal
			USING ERRCODE = 'no_data_found';
	END IF;
	-- It waits for a flush that is still under way.
	INSERT INTO writebehind.checkpoint AS c (journal, lsn, abandoned) VALUES (abandon.journal, 0, true)
		ON CONFLICT ON CONSTRAINT checkpoint_pkey DO UPDATE SET abandoned = true, updated = now();
	-- A new epoch: what the process may still try is not the owner's any more.
	UPDATE writebehind.owner AS w SET dirty = false, groups = 0, epoch = w.epoch + 1
		WHERE w.dirty AND w.journal = abandon.journal;
	DELETE FROM writebehind.instance AS i WHERE i.journal = abandon.journal;
END
$abandon$;

COMMENT ON SCHEMA writebehind IS 'writebehind schema 1';
`
