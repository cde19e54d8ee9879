package catalog

import "strings"

// runsTextArray lists, as the elements of a SQL array, the built-in functions
// that reach beyond their arguments: they run SQL given as text, read a table
// given by name, or change the state of the session or of its locks. (Chapter
// 9, "Functions and Operators", of the PostgreSQL documentation.)
const runsTextArray = `'query_to_xml', 'query_to_xmlschema', 'query_to_xml_and_xmlschema', ` +
	`'table_to_xml', 'table_to_xmlschema', 'table_to_xml_and_xmlschema', ` +
	`'schema_to_xml', 'schema_to_xmlschema', 'schema_to_xml_and_xmlschema', ` +
	`'database_to_xml', 'database_to_xmlschema', 'database_to_xml_and_xmlschema', ` +
	`'cursor_to_xml', 'cursor_to_xmlschema', ` +
	`'ts_stat', 'ts_rewrite', ` +
	`'set_config', 'pg_notify', ` +
	`'pg_advisory_unlock', 'pg_advisory_unlock_shared', 'pg_advisory_unlock_all'`

// RunsText says whether a built-in function of this name reaches beyond its
// arguments: it runs SQL that it is given as text, reads a table that it is
// given by name, or changes the state of the session or of its locks.
func RunsText(name string) bool {
	return strings.Contains(runsTextArray, "'"+name+"'")
}
