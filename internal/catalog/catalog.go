// Package catalog holds what the shim knows of the target database's schema:
// tables, columns, keys, constraints and what depends on them, as loaded from
// pg_catalog. A Catalog is immutable once loaded; a newer one replaces it.
package catalog

import (
	"database/sql/driver"
	"reflect"
	"slices"

	"github.com/writebehind/writebehind/internal/pgvalue"
)

// Name is the schema-qualified name of a relation, as PostgreSQL stores it.
type Name struct {
	Schema string
	Name   string
}

func (n Name) String() string { return n.Schema + "." + n.Name }

// Catalog is a snapshot of the schema of one database.
type Catalog struct {
	// SearchPath is the effective search path of the session that loaded it,
	// without pg_catalog.
	SearchPath []string
	// Relations holds every table, partitioned table, view, materialized view,
	// foreign table and sequence outside the system schemas.
	Relations map[Name]*Relation
	// UserFunctions holds the names (without schema) of all functions that are
	// not built in, and of all types that run one when a value of theirs is made
	// (a domain with a check); UserOperators the names of such operators.
	UserFunctions map[string]struct{}
	UserOperators map[string]struct{}
	// UserCasts describes the casts whose function is neither built in nor
	// written in C: a statement may call one without naming it.
	UserCasts []string
	// Builtins holds the names of all functions and aggregates of pg_catalog.
	Builtins map[string]struct{}
	// SystemRelations holds the names of the relations of pg_catalog.
	SystemRelations map[string]struct{}

	byName      map[string][]*Relation
	path        []string // the search path with pg_catalog in its place
	version     string   // of the server
	fingerprint string
}

// Fingerprint identifies the state of the schema: it changes whenever anything
// that a Catalog holds does.
func (c *Catalog) Fingerprint() string { return c.fingerprint }

// Relation is a table or something that is named like one.
type Relation struct {
	OID         uint32
	Name        Name
	Kind        byte // pg_class.relkind: r, p, v, m, f, S
	Persistence byte // pg_class.relpersistence: p, u, t

	Columns []Column // in attnum order, dropped ones left out
	Key     []int    // indexes into Columns of the primary key, in key order

	Uniques      []Unique
	Checks       []Check
	References   []ForeignKey // foreign keys of this table
	ReferencedBy []ForeignKey // foreign keys of other tables (or itself) that point here

	// Ineligible says in words why the table cannot be opted in; "" if it can.
	Ineligible string
	// InsertUncertain says in words why no INSERT can be known to succeed (an
	// expression index, a generated column, a partition that may be missing, …);
	// "" if nothing stands against it. UpdateUncertain is the same for an UPDATE
	// whatever column it sets; what depends on the column is Column.Unsettable.
	InsertUncertain string
	UpdateUncertain string
	// Opaque says in words why using this relation may run code that can touch
	// any table (a trigger, a rule, a policy, a function that is not built in);
	// "" if it cannot. It tells nothing of what foreign keys lead to: a write
	// that may cascade must look at the relations of Catalog.Cascade too.
	Opaque string
	// OpaqueRead is Opaque without what only a write can set off: triggers,
	// rules, defaults, checks.
	OpaqueRead string
	// Lacks lists the privileges out of SELECT, INSERT, UPDATE, DELETE and USAGE
	// (of the schema, or of a sequence) that the role does not hold on the whole
	// relation.
	Lacks []string
	// Touches lists the other relations whose rows are read or written when this
	// one is named: the tables behind a view (transitively), the ancestors and
	// descendants of a partition or inheritance child.
	Touches []Name
	// Sequence is what a relation of kind S counts; nil for all others.
	Sequence *Sequence
}

// May says whether the role holds a privilege, one of those of Lacks.
func (r *Relation) May(privilege string) bool { return !slices.Contains(r.Lacks, privilege) }

// Column returns the index into Columns of the column of a name, -1 without.
func (r *Relation) Column(name string) int {
	return slices.IndexFunc(r.Columns, func(c Column) bool { return c.Name == name })
}

// Sequence holds the settings of a sequence.
type Sequence struct {
	Increment int64
	Min, Max  int64
	Cache     int64
	Cycle     bool
	// Owner and OwnerColumn are the table and the column that own it, if any do.
	Owner       Name
	OwnerColumn string
}

// Column is one column of a relation.
type Column struct {
	Name    string
	Type    pgvalue.Type
	SQLType string // the type in SQL without length modifiers, qualified and quoted where needed
	NotNull bool
	// Composite says that a value has fields of its own.
	Composite bool
	// Deterministic says that two texts of it are equal only if their bytes are.
	Deterministic bool
	// CollationC says that its texts are ordered by their bytes: the collation of the
	// column itself is C or POSIX.
	CollationC bool

	Default  Default
	Identity byte // 0, 'a' (always), 'd' (by default)
	// Generated says that the value is computed by PostgreSQL.
	Generated bool
	// Unsettable says in words why an UPDATE that changes this column cannot be
	// certain to succeed (it is in an expression, partial, exclusion or
	// non-btree index, a partition key, …); "" if nothing stands against it. For
	// an INSERT see Relation.InsertUncertain.
	//
	// A column that is Generated, or an Identity of 'a', may not be written at
	// all, not even with the value that it has.
	Unsettable string
	// IndexedWidth says that the column is of variable width and in a btree
	// index, so that a wide value may be refused.
	IndexedWidth bool
	// Meta is what the real driver says of a result column of this type. It is
	// set by Catalog.Describe.
	Meta Meta

	fullType string // SQLType with its length modifiers
}

// Meta is what a driver's Rows tell of a result column.
type Meta struct {
	DatabaseType string
	ScanType     reflect.Type // nil if the driver does not tell
	Length       int64
	HasLength    bool
	Precision    int64
	Scale        int64
	HasPrecision bool
}

// DefaultKind tells what a column gets when an INSERT leaves it out.
type DefaultKind uint8

// The kinds of defaults.
const (
	DefaultNone     DefaultKind = iota // no default: NULL
	DefaultConstant                    // Value, as PostgreSQL evaluated it
	DefaultSequence                    // nextval of a sequence, identity columns included
	DefaultNow                         // now() in a timestamptz column; Type.Mod may still round it
	DefaultUUID                        // gen_random_uuid()
	DefaultOther                       // anything else
)

// Default is the default of a column.
type Default struct {
	Kind  DefaultKind
	Expr  string       // the expression as PostgreSQL prints it
	Value driver.Value // of a DefaultConstant, as the real driver returned it; set by Catalog.Describe
	// Sequence is what a DefaultSequence draws from.
	Sequence Name
	// Opaque says in words why evaluating the default may run code that can
	// touch any table; "" if it cannot.
	Opaque string
}

// Unique is a unique constraint or unique index other than the primary key.
type Unique struct {
	Name             string
	Columns          []int // indexes into Columns; nil for an expression index
	NullsNotDistinct bool
	// Partial says that only some of the rows are in it.
	Partial bool
	// Deferrable says that it may be checked at the end of a transaction; then it is
	// no arbiter of ON CONFLICT.
	Deferrable bool
	// Bytewise says that two values of its columns are equal exactly when their
	// canonical forms are.
	Bytewise bool
}

// Check is a CHECK constraint.
type Check struct {
	Name string
	Expr string // as pg_get_constraintdef prints it
	// Columns holds the indexes into Columns of those whose change may make the
	// check fail. It holds all columns if any UPDATE may: the check is not
	// validated, or not a function of the row alone.
	Columns []int
	// OwnOperators says that not all of its operators are built in: they may be
	// called like those that are, and mean something else.
	OwnOperators bool
}

// ForeignKey is a foreign key, seen from either side.
type ForeignKey struct {
	Name       string
	Child      Name
	Parent     Name
	ChildCols  []string
	ParentCols []string
	OnDelete   byte // pg_constraint.confdeltype: a, r, c, n, d
	OnUpdate   byte // pg_constraint.confupdtype
	Match      byte // pg_constraint.confmatchtype: s, f
	Validated  bool // rows that were there before it was made refer to rows that are there, too
}
