package catalog

// The schema is read with one statement, so that it is of one snapshot, and
// comes as one JSON text, so that it can be compared as a whole. Every list is
// sorted and holds nothing that changes without the schema, or the role's
// rights on it, having changed.
//
// Objects that are not built in have an OID of at least 16384
// (FirstNormalObjectId, src/include/access/transam.h).
//
// Functions are found in two ways. pg_depend names those that are not built in,
// operators included; it leaves out the built-in ones. Those are found by their
// OIDs in the stored expression trees.
const schemaQuery = `
WITH rels AS MATERIALIZED (
	SELECT c.*, n.nspname
	FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
	WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
	  AND c.relpersistence <> 't' AND n.nspname <> 'pg_toast'
),
functions AS MATERIALIZED (
	SELECT p.oid, n.nspname, p.proname, l.lanname, n.nspname || '.' || p.proname AS fullname
	FROM pg_catalog.pg_proc p
	JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
	JOIN pg_catalog.pg_language l ON l.oid = p.prolang
	WHERE p.oid >= 16384
),
-- What has a stored expression: class and oid as in pg_depend.
trees AS MATERIALIZED (
	SELECT 'pg_catalog.pg_attrdef'::regclass::oid AS class, d.oid, d.adbin::text AS tree
	FROM pg_catalog.pg_attrdef d JOIN rels r ON r.oid = d.adrelid
	UNION ALL
	SELECT 'pg_catalog.pg_constraint'::regclass::oid, k.oid, k.conbin::text
	FROM pg_catalog.pg_constraint k WHERE k.contype = 'c' AND k.oid >= 16384
	UNION ALL
	SELECT 'pg_catalog.pg_class'::regclass::oid, i.indexrelid, pg_catalog.concat(i.indexprs::text, i.indpred::text)
	FROM pg_catalog.pg_index i JOIN rels r ON r.oid = i.indrelid
	WHERE i.indexprs IS NOT NULL OR i.indpred IS NOT NULL
	UNION ALL
	SELECT 'pg_catalog.pg_class'::regclass::oid, p.partrelid, p.partexprs::text
	FROM pg_catalog.pg_partitioned_table p WHERE p.partexprs IS NOT NULL
	UNION ALL
	SELECT 'pg_catalog.pg_policy'::regclass::oid, p.oid, pg_catalog.concat(p.polqual::text, p.polwithcheck::text)
	FROM pg_catalog.pg_policy p
	UNION ALL
	SELECT 'pg_catalog.pg_rewrite'::regclass::oid, w.oid, pg_catalog.concat(w.ev_qual::text, w.ev_action::text)
	FROM pg_catalog.pg_rewrite w JOIN rels r ON r.oid = w.ev_class
	UNION ALL
	SELECT 'pg_catalog.pg_type'::regclass::oid, t.oid, t.typdefaultbin::text
	FROM pg_catalog.pg_type t WHERE t.typdefaultbin IS NOT NULL AND t.oid >= 16384
),
reaching AS MATERIALIZED (
	SELECT p.oid, p.proname FROM pg_catalog.pg_proc p
	WHERE p.oid < 16384 AND p.proname = ANY (ARRAY[` + runsTextArray + `])
),
suspects AS MATERIALIZED (
	SELECT s.* FROM trees s
	-- The plain comparison spares most trees the slow one.
	WHERE CASE WHEN strpos(s.tree, ':funcid ') > 0 OR strpos(s.tree, 'fnoid ') > 0
		THEN s.tree ~ (SELECT ':(funcid|aggfnoid|winfnoid) (' || string_agg(oid::text, '|') || ') ' FROM reaching) END
),
dependencies AS MATERIALIZED (
	SELECT d.classid, d.objid, d.objsubid, d.refclassid, d.refobjid, d.refobjsubid, d.deptype
	FROM pg_catalog.pg_depend d
	WHERE d.refobjid >= 16384 AND d.objid >= 16384
),
direct AS MATERIALIZED (
	SELECT d.classid AS class, d.objid AS oid, f.fullname AS name
	FROM dependencies d JOIN functions f ON f.oid = d.refobjid
	WHERE d.refclassid = 'pg_catalog.pg_proc'::regclass
	UNION
	SELECT d.classid, d.objid, f.fullname
	FROM dependencies d JOIN pg_catalog.pg_operator o ON o.oid = d.refobjid JOIN functions f ON f.oid = o.oprcode
	WHERE d.refclassid = 'pg_catalog.pg_operator'::regclass
	UNION
	SELECT s.class, s.oid, r.proname
	FROM suspects s JOIN reaching r ON s.tree ~ (':(funcid|aggfnoid|winfnoid) ' || r.oid || ' ')
),
-- Types whose values run such a function when they are made: a domain with a
-- check, and whatever is built from it.
typecalls AS MATERIALIZED (
	WITH RECURSIVE edges AS MATERIALIZED (
		SELECT t.oid AS type, t.typbasetype AS part FROM pg_catalog.pg_type t WHERE t.typtype = 'd'
		UNION ALL
		SELECT t.oid, t.typelem FROM pg_catalog.pg_type t WHERE t.typelem >= 16384
		UNION ALL
		SELECT a.rngtypid, a.rngsubtype FROM pg_catalog.pg_range a WHERE a.rngsubtype >= 16384
		UNION ALL
		SELECT t.oid, a.atttypid
		FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.typrelid = a.attrelid
		WHERE a.atttypid >= 16384 AND a.attnum > 0
	), up AS (
		SELECT k.contypid AS type, d.name FROM direct d JOIN pg_catalog.pg_constraint k ON k.oid = d.oid
		WHERE d.class = 'pg_catalog.pg_constraint'::regclass AND k.contypid <> 0
		UNION
		SELECT e.type, up.name FROM up JOIN edges e ON e.part = up.type
	)
	SELECT type, min(name) AS name FROM up GROUP BY type
),
calls AS MATERIALIZED (
	SELECT class, oid, min(name) AS name FROM (
		SELECT class, oid, name FROM direct
		UNION ALL
		SELECT d.classid, d.objid, t.name
		FROM dependencies d JOIN typecalls t ON t.type = d.refobjid
		WHERE d.refclassid = 'pg_catalog.pg_type'::regclass
		UNION ALL
		SELECT 'pg_catalog.pg_type'::regclass, t.type, t.name FROM typecalls t
	) AS any_kind
	GROUP BY class, oid
),
generated AS MATERIALIZED (
	SELECT a.attrelid, a.attnum FROM pg_catalog.pg_attribute a JOIN rels r ON r.oid = a.attrelid WHERE a.attgenerated <> ''
),
-- Operator classes that call functions written in SQL or a procedural language.
classes AS MATERIALIZED (
	SELECT o.oid, min(f.fullname) AS name
	FROM functions f JOIN pg_catalog.pg_amproc p ON p.amproc = f.oid
	JOIN pg_catalog.pg_opclass o ON o.opcfamily = p.amprocfamily
	WHERE f.lanname NOT IN ('c', 'internal')
	GROUP BY o.oid
),
doc AS MATERIALIZED (SELECT pg_catalog.json_build_object(
'version', pg_catalog.current_setting('server_version_num'),
'database', pg_catalog.current_database(),
'role', current_user,
'path', (SELECT json_agg(s ORDER BY o) FROM unnest(pg_catalog.current_schemas(true)) WITH ORDINALITY AS p(s, o) WHERE s NOT LIKE 'pg\_temp%'),
'relations', (SELECT json_agg(x ORDER BY x.oid) FROM (
	SELECT r.oid, r.nspname AS schema, r.relname AS name, r.relkind AS kind, r.relpersistence AS persistence,
		r.relispartition AS partition,
		CASE WHEN r.relkind IN ('r', 'p') AND r.relrowsecurity THEN pg_catalog.row_security_active(r.oid) END AS secured,
		pg_catalog.array_remove(ARRAY[
			CASE WHEN NOT pg_catalog.has_schema_privilege(r.relnamespace, 'USAGE')
				OR r.relkind = 'S' AND NOT pg_catalog.has_sequence_privilege(r.oid, 'USAGE, UPDATE') THEN 'USAGE' END,
			CASE WHEN NOT pg_catalog.has_table_privilege(r.oid, 'SELECT') THEN 'SELECT' END,
			CASE WHEN NOT pg_catalog.has_table_privilege(r.oid, 'INSERT') THEN 'INSERT' END,
			CASE WHEN NOT pg_catalog.has_table_privilege(r.oid, 'UPDATE') THEN 'UPDATE' END,
			CASE WHEN NOT pg_catalog.has_table_privilege(r.oid, 'DELETE') THEN 'DELETE' END
		], NULL) AS lacks,
		p.partstrat AS strategy, p.partdefid <> 0 AS has_default, p.partattrs::int2[] AS partition_key,
		CASE WHEN r.relispartition THEN pg_catalog.pg_get_expr(r.relpartbound, r.oid) END AS bound,
		c.name AS calls
	FROM rels r LEFT JOIN pg_catalog.pg_partitioned_table p ON p.partrelid = r.oid
	LEFT JOIN calls c ON c.class = 'pg_catalog.pg_class'::regclass AND c.oid = r.oid AND p.partexprs IS NOT NULL
) x),
'columns', (SELECT json_agg(x ORDER BY x.rel, x.num) FROM (
	SELECT a.attrelid AS rel, a.attnum AS num, a.attname AS name, a.attnotnull AS notnull,
		a.attidentity AS identity, a.attgenerated AS generated, a.atttypid AS type, a.atttypmod AS mod,
		t.typtype AS kind, t.typcategory AS category, t.typlen AS width,
		CASE WHEN tn.nspname = 'pg_catalog' THEN pg_catalog.format_type(a.atttypid, -1)
			WHEN e.oid IS NULL THEN pg_catalog.quote_ident(tn.nspname) || '.' || pg_catalog.quote_ident(t.typname)
			ELSE pg_catalog.quote_ident(en.nspname) || '.' || pg_catalog.quote_ident(e.typname) || '[]' END AS sqltype,
		CASE WHEN tn.nspname = 'pg_catalog' THEN pg_catalog.format_type(a.atttypid, a.atttypmod) END AS fulltype,
		coalesce(l.collisdeterministic, true) AS deterministic,
		a.attcollation IN ('pg_catalog."C"'::regcollation, 'pg_catalog."POSIX"'::regcollation) AS c,
		pg_catalog.pg_get_expr(d.adbin, d.adrelid) AS expr,
		CASE WHEN d.oid IS NULL THEN t.typdefault END AS type_expr,
		coalesce(c.name, CASE WHEN d.oid IS NULL THEN tc.name END) AS calls, ty.name AS type_calls
	FROM pg_catalog.pg_attribute a
	JOIN rels r ON r.oid = a.attrelid AND r.relkind <> 'S'
	JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
	JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
	LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
	LEFT JOIN pg_catalog.pg_namespace en ON en.oid = e.typnamespace
	LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
	LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
	LEFT JOIN calls c ON c.class = 'pg_catalog.pg_attrdef'::regclass AND c.oid = d.oid
	LEFT JOIN direct tc ON tc.class = 'pg_catalog.pg_type'::regclass AND tc.oid = t.oid AND t.typtype = 'd'
	LEFT JOIN typecalls ty ON ty.type = a.atttypid
	WHERE a.attnum > 0 AND NOT a.attisdropped
) x),
'enums', (SELECT json_agg(x ORDER BY x.type) FROM (
	SELECT e.enumtypid AS type, json_agg(e.enumlabel ORDER BY e.enumsortorder) AS labels
	FROM pg_catalog.pg_enum e GROUP BY e.enumtypid
) x),
'domains', (SELECT json_agg(x ORDER BY x.type) FROM (
	SELECT t.oid AS type, t.typbasetype AS base, t.typnotnull OR EXISTS (
		SELECT FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid) AS constrained
	FROM pg_catalog.pg_type t WHERE t.typtype = 'd'
) x),
'sequences', (SELECT json_agg(x ORDER BY x.oid) FROM (
	SELECT s.seqrelid AS oid, s.seqincrement AS increment, s.seqmin AS min, s.seqmax AS max, s.seqcache AS cache, s.seqcycle AS cycle,
		coalesce(a.attrelid, 0)::oid AS owner, coalesce(a.attname, '') AS "column"
	FROM pg_catalog.pg_sequence s JOIN rels r ON r.oid = s.seqrelid
	LEFT JOIN (pg_catalog.pg_depend d JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid)
		ON d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = s.seqrelid AND d.objsubid = 0
		AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
) x),
'draws', (SELECT json_agg(x ORDER BY x.rel, x.num, x.seq) FROM (
	SELECT a.adrelid AS rel, a.adnum AS num, d.refobjid AS seq
	FROM dependencies d JOIN pg_catalog.pg_attrdef a ON a.oid = d.objid JOIN pg_catalog.pg_class s ON s.oid = d.refobjid
	WHERE d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
	  AND s.relkind = 'S' AND s.relpersistence <> 't'
	UNION
	SELECT d.refobjid, d.refobjsubid, d.objid
	FROM dependencies d JOIN pg_catalog.pg_class s ON s.oid = d.objid
	WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.deptype = 'i'
	  AND s.relkind = 'S' AND s.relpersistence <> 't'
) x),
'generators', (SELECT json_agg(x ORDER BY x.rel, x.num, x.base) FROM (
	-- Which columns a generated one is computed from. Before version 15 the
	-- column depends on them, since then its pg_attrdef row does.
	SELECT a.attrelid AS rel, a.attnum AS num, d.refobjsubid AS base
	FROM generated a JOIN pg_catalog.pg_attrdef v ON v.adrelid = a.attrelid AND v.adnum = a.attnum
	JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = v.oid
		AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = a.attrelid
	WHERE d.refobjsubid <> a.attnum
	UNION
	SELECT a.attrelid, a.attnum, d.refobjsubid
	FROM generated a JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = a.attrelid
		AND d.objsubid = a.attnum AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = a.attrelid
	WHERE d.refobjsubid <> a.attnum
) x),
'indexes', (SELECT json_agg(x ORDER BY x.oid) FROM (
	SELECT i.indexrelid AS oid, i.indrelid AS rel, ic.relname AS name, m.amname AS method,
		i.indisunique AS "unique", i.indisprimary AS "primary", i.indisexclusion AS exclusion,
		i.indimmediate AS immediate, i.indisvalid AND i.indisready AND i.indislive AS valid,
		i.indkey::int2[] AS columns, i.indnkeyatts AS keys,
		i.indexprs IS NOT NULL AS expressions, i.indpred IS NOT NULL AS partial,
		coalesce((pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct')::bool, false) AS nulls_not_distinct,
		ic.relispartition AS attached,
		(SELECT json_agg(DISTINCT d.refobjsubid) FROM pg_catalog.pg_depend d
			WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = i.indexrelid AND d.refobjsubid > 0
			  AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = i.indrelid
			  AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)) AS mentions,
		-- pg_depend does not tell an index that reads the whole row from one
		-- that has no plain column.
		strpos(pg_catalog.concat(i.indexprs::text, i.indpred::text), ':varattno 0 ') > 0 AS whole_row,
		c.name AS calls,
		(SELECT min(o.name) FROM classes o WHERE o.oid = ANY (i.indclass::oid[])) AS compares
	FROM pg_catalog.pg_index i JOIN rels r ON r.oid = i.indrelid
	JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid JOIN pg_catalog.pg_am m ON m.oid = ic.relam
	LEFT JOIN calls c ON c.class = 'pg_catalog.pg_class'::regclass AND c.oid = i.indexrelid
) x),
'checks', (SELECT json_agg(x ORDER BY x.rel, x.name) FROM (
	SELECT k.conrelid AS rel, k.conname AS name, pg_catalog.pg_get_constraintdef(k.oid) AS expr, k.conkey AS columns,
		k.coninhcount > 0 AND NOT k.conislocal AS inherited,
		NOT k.convalidated OR c.name IS NOT NULL OR EXISTS (
				SELECT FROM pg_catalog.regexp_matches(k.conbin::text, ':(?:op)?funcid (\d+)', 'g') AS m
				JOIN pg_catalog.pg_proc p ON p.oid = m[1]::oid WHERE p.provolatile <> 'i')
			OR k.conbin::text ~ '\{(SQLVALUEFUNCTION|COERCEVIAIO|COERCETODOMAIN|NEXTVALUEEXPR|XMLEXPR)' AS unstable,
		EXISTS (
			SELECT FROM pg_catalog.regexp_matches(k.conbin::text, ':opno (\d+)', 'g') AS m WHERE m[1]::oid >= 16384) AS own_operators,
		c.name AS calls
	FROM pg_catalog.pg_constraint k JOIN rels r ON r.oid = k.conrelid
	LEFT JOIN calls c ON c.class = 'pg_catalog.pg_constraint'::regclass AND c.oid = k.oid
	WHERE k.contype = 'c'
) x),
'foreign_keys', (SELECT json_agg(x ORDER BY x.child, x.name) FROM (
	SELECT k.conname AS name, k.conrelid AS child, k.confrelid AS parent, k.conkey AS child_columns, k.confkey AS parent_columns,
		k.confdeltype AS on_delete, k.confupdtype AS on_update, k.confmatchtype AS match, k.convalidated AS validated
	FROM pg_catalog.pg_constraint k JOIN rels r ON r.oid = k.conrelid
	WHERE k.contype = 'f' AND k.conparentid = 0
) x),
'triggers', (SELECT json_agg(x ORDER BY x.rel, x.name) FROM (
	SELECT t.tgrelid AS rel, t.tgname AS name, f.fullname AS calls
	FROM pg_catalog.pg_trigger t JOIN rels r ON r.oid = t.tgrelid LEFT JOIN functions f ON f.oid = t.tgfoid
	WHERE t.tgenabled <> 'D' AND (NOT t.tgisinternal OR t.tgfoid >= 16384)
) x),
'rules', (SELECT json_agg(x ORDER BY x.rel, x.name) FROM (
	SELECT w.ev_class AS rel, w.rulename AS name, w.ev_type = '1' AS view, c.name AS calls
	FROM pg_catalog.pg_rewrite w JOIN rels r ON r.oid = w.ev_class
	LEFT JOIN calls c ON c.class = 'pg_catalog.pg_rewrite'::regclass AND c.oid = w.oid
	WHERE w.ev_enabled <> 'D' OR w.ev_type = '1'
) x),
'policies', (SELECT json_agg(x ORDER BY x.rel, x.name) FROM (
	SELECT p.polrelid AS rel, p.polname AS name, c.name AS calls
	FROM pg_catalog.pg_policy p JOIN rels r ON r.oid = p.polrelid AND r.relrowsecurity
	LEFT JOIN calls c ON c.class = 'pg_catalog.pg_policy'::regclass AND c.oid = p.oid
) x),
'inherits', (SELECT json_agg(x ORDER BY x.child, x.parent) FROM (
	SELECT i.inhrelid AS child, i.inhparent AS parent
	FROM pg_catalog.pg_inherits i JOIN rels r ON r.oid = i.inhrelid
) x),
'uses', (SELECT json_agg(x ORDER BY x.rel, x.used) FROM (
	SELECT w.ev_class AS rel, d.refobjid AS used
	FROM dependencies d JOIN pg_catalog.pg_rewrite w ON w.oid = d.objid JOIN rels u ON u.oid = d.refobjid
	WHERE d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> w.ev_class
	UNION
	SELECT p.polrelid, d.refobjid
	FROM dependencies d JOIN pg_catalog.pg_policy p ON p.oid = d.objid JOIN rels u ON u.oid = d.refobjid
	WHERE d.classid = 'pg_catalog.pg_policy'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> p.polrelid
) x),
'user_functions', (SELECT json_agg(x.name ORDER BY x.name) FROM (
	SELECT f.proname AS name FROM functions f
	UNION
	SELECT t.typname FROM typecalls y JOIN pg_catalog.pg_type t ON t.oid = y.type
) x),
'user_operators', (SELECT json_agg(DISTINCT o.oprname ORDER BY o.oprname) FROM pg_catalog.pg_operator o WHERE o.oid >= 16384),
'user_casts', (SELECT json_agg(x.name ORDER BY x.name) FROM (
	SELECT pg_catalog.format_type(c.castsource, NULL) || ' AS ' || pg_catalog.format_type(c.casttarget, NULL) AS name
	FROM pg_catalog.pg_cast c JOIN functions f ON f.oid = c.castfunc AND f.lanname NOT IN ('c', 'internal')
) x)
)::text AS text),
hashed AS MATERIALIZED (
	SELECT text, pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(text, 'UTF8')), 'hex') AS fingerprint FROM doc
)
SELECT fingerprint, CASE WHEN fingerprint = $1 THEN '' ELSE text END FROM hashed`

// builtinQuery lists the names of what every database has.
const builtinQuery = `
SELECT pg_catalog.json_build_object(
	'functions', (SELECT json_agg(DISTINCT p.proname) FROM pg_catalog.pg_proc p
		WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.oid < 16384),
	'relations', (SELECT json_agg(c.relname) FROM pg_catalog.pg_class c
		WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.oid < 16384)
)::text`
