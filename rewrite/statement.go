package rewrite

// Ident is a possibly schema-qualified name, folded as PostgreSQL folds it
// (lower case unless quoted). Schema is "" when none is written.
type Ident struct {
	Schema string
	Name   string
}

// Form says which keyed form a statement has; Other is everything else.
type Form uint8

// The forms.
const (
	Other Form = iota
	Insert
	Update
	Delete
	Select
)

// Statement is what one SQL text says. Form and the fields after it are set
// when the text has one of the shapes a keyed statement can have (whether the
// primary key really is fixed only the catalog can tell); Summary always is.
//
// What only the catalog can tell is left to the caller. That a name is written
// where a column stands does not make it one: PostgreSQL also takes it for the
// whole row (SELECT users FROM users) or for a function of the row
// (users.full_name). And that casts, values and types agree is not looked at.
type Statement struct {
	Summary

	Form  Form
	Table Ident
	Alias string // "" when none is written

	// Insert.
	Columns  []string  // nil when no column list is written
	Rows     [][]Value // one per VALUES row; a single empty row for DEFAULT VALUES
	Conflict *Conflict // nil without ON CONFLICT

	// Update.
	Set []Assignment

	// Update, Delete, Select.
	Where []Condition // conjuncts

	// Select.
	Existence Existence
	OrderBy   []Order
	Limit     *Value
	Lock      string // "FOR UPDATE NOWAIT" … in upper case; "" without

	// Items is the select list, or the RETURNING list of a write.
	Items []Item

	Step      Step   // NoStep unless the statement is a plain one
	Savepoint string // of Savepoint, RollbackTo and Release
}

// ValueKind tells what a Value is.
type ValueKind uint8

// The kinds of values.
const (
	Param      ValueKind = iota // $N: Index
	String                      // a string literal, decoded: Text
	Integer                     // digits with an optional sign that fit 64 bits: Text
	Decimal                     // any other numeric literal: Text
	Bool                        // TRUE or FALSE: Text is "true" or "false"
	Null                        //
	DefaultKey                  // the keyword DEFAULT
	Now                         // now() or CURRENT_TIMESTAMP
	Excluded                    // EXCLUDED.column (Text is the column), in ON CONFLICT DO UPDATE only
	Expression                  // anything else without a subquery: Text is its source text
)

// Value is a constant, a parameter, or an expression that is only known to
// hold no subquery.
type Value struct {
	Kind  ValueKind
	Index int    // of a Param, from 1
	Text  string //
	Cast  string // type name of a written cast, lower case and without spaces around (modifiers kept, e.g. "varchar(10)"; a quoted name stays quoted); "" without. Several casts make an Expression.
}

// AssignOp tells what an assignment does with its value.
type AssignOp uint8

// The operations.
const (
	SetTo    AssignOp = iota // c = value
	Add                      // c = c + value (also value + c)
	Subtract                 // c = c - value
)

// Assignment is one column of a SET list.
type Assignment struct {
	Column string
	Op     AssignOp
	OrZero bool // of Add and Subtract: COALESCE(c, 0) is in place of c
	Value  Value
}

// Conflict is an ON CONFLICT clause.
type Conflict struct {
	Columns []string     // conflict target; nil when none is written
	Nothing bool         // DO NOTHING
	Set     []Assignment // DO UPDATE SET
}

// ConditionOp tells what a Condition compares.
type ConditionOp uint8

// The comparisons.
const (
	Equals       ConditionOp = iota // Columns[0] = Rows[0][0]
	In                              // (Columns…) IN (Rows…), one value per column in each row
	Any                             // Columns[0] = ANY (Rows[0][0]), an array parameter or literal
	IsNull                          // Columns[0] IS NULL
	IsNotNull                       // Columns[0] IS NOT NULL
	BeforeNow                       // Columns[0] < now()
	NotAfterNow                     // Columns[0] <= now()
	AfterNow                        // Columns[0] > now()
	NotBeforeNow                    // Columns[0] >= now()
)

// Condition is one conjunct of a WHERE clause. A row comparison
// (a, b) = (x, y) is given as one Equals per column. The values are constants,
// NULL and parameters; anything else in a WHERE clause makes the statement Other.
type Condition struct {
	Columns []string
	Op      ConditionOp
	Rows    [][]Value
}

// Existence tells whether a Select asks for rows or only whether, or how many,
// there are.
type Existence uint8

// The existence forms.
const (
	Rows        Existence = iota
	ConstantRow           // SELECT 1 FROM …: Items holds one constant item
	CountRows             // SELECT count(*) FROM …
	ExistsRow             // SELECT EXISTS (SELECT … FROM …)
)

// Item is one element of a select or RETURNING list.
type Item struct {
	Star   bool   // * or t.*
	Column string // plain column
	As     string // output name if one is written; for an existence form the name PostgreSQL gives the column ("?column?", "count", "exists") or the alias
	Value  Value  // constant of a ConstantRow
}

// Order is one ORDER BY column.
type Order struct {
	Column     string
	Descending bool
	NullsFirst bool // as written or by default (DESC: true)
}

// Effect is the most a statement may do, judged by all of it.
type Effect uint8

// The effects, in rising order.
const (
	NoEffect Effect = iota // touches no table: SHOW, SET, LISTEN, BEGIN, …
	Reads                  // reads the named relations
	Writes                 // may write or lock rows of the named relations
	Unknown                // a kind we do not know, DDL, several statements: may do anything
)

// Transaction tells what a transaction-control statement given as text does.
type Transaction uint8

// Transaction control.
const (
	NoTransaction Transaction = iota
	BeginTransaction
	EndTransaction   // COMMIT, END, ROLLBACK, ABORT (without AND CHAIN), PREPARE TRANSACTION
	InTransaction    // SAVEPOINT, RELEASE, ROLLBACK TO, … AND CHAIN
	MixedTransaction // several statements of which at least one controls the transaction
)

// Summary is what can be said of any SQL text.
type Summary struct {
	Verb   string // first keyword, upper case; "" for an empty text
	Effect Effect
	// Identifiers holds every name in the text that could be a relation: each
	// identifier chain a, a.b, a.b.c gives {"", a}, {a, b}, {b, c}. Quoted or
	// not, keywords excluded only where PostgreSQL reserves them.
	Identifiers []Ident
	// Relations holds those in relation position (after FROM, JOIN, INTO,
	// UPDATE, TABLE, USING …) that are no CTE names of the text, best effort.
	Relations []Ident
	// Functions holds the names directly followed by "(" that are not keywords
	// of the grammar; in doubt a name is one. A function that is called like a
	// column (users.full_name) is among the Identifiers only.
	Functions []Ident
	// Operators holds the distinct operator tokens (<> for !=), and those that
	// LIKE, IN, BETWEEN and other keywords stand for.
	Operators []string
	// Several says that the text holds more than one statement.
	Several bool
	// Opaque is the reason why the names in the text cannot be told with
	// certainty (U&"…" identifiers, an unterminated quote, …); "" if they can.
	Opaque string
	// Session says that the statement changes, or may change, the state of its
	// session: SET, RESET, DISCARD, LISTEN, DECLARE, PREPARE, temporary tables, …
	Session bool
	// Local says that all it changes there ends with the transaction: SET LOCAL,
	// SET TRANSACTION.
	Local       bool
	Transaction Transaction
	// LeavesOpen says of a MixedTransaction that it leaves a transaction open if
	// all its statements succeed.
	LeavesOpen bool
	// DDL says that the statement is of a kind that changes the catalog.
	DDL bool
	// Params is the highest $N, 0 without parameters.
	Params int
}
