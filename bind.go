package writebehind

import (
	"cmp"
	"database/sql/driver"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/internal/pgvalue"
	"github.com/writebehind/writebehind/queue"
	"github.com/writebehind/writebehind/rewrite"
)

// readPlan is how a keyed SELECT is answered from a row image.
type readPlan struct {
	key        []source
	conditions []condition
	rowColumns
	exists existence // what is returned instead, if anything
	limit  int       // index of the argument that is the LIMIT, -1 without
	most   int64     // a LIMIT that is a constant; 0 without
	lock   rowLockWanted

	list  *keyList    // of a list of keys: what key does not fix; else nil
	order []orderPart // of its rows
	total bool        // ORDER BY leaves none of the order open
}

// mostRows returns the LIMIT; ok is false if it is not certain that it lets a row
// through.
func (r *readPlan) mostRows(args []driver.NamedValue) (n int64, ok bool) {
	switch {
	case r.limit >= 0:
		n, ok = pgvalue.Integer(args[r.limit].Value)
		return n, ok && n > 0
	case r.most > 0:
		return r.most, true
	}
	return math.MaxInt64, true
}

// rowColumns are the columns of a row that a statement returns.
type rowColumns struct {
	columns []int
	result  *resultColumns
}

// rowLockWanted tells whether a SELECT locks its row, which is done in memory only
// inside a buffered transaction.
type rowLockWanted uint8

const (
	noRowLock rowLockWanted = iota
	waitForRow
	doNotWait // NOWAIT, SKIP LOCKED, and what may not have to wait
)

// writePlan is how a keyed write is deferred.
type writePlan struct {
	kind       rewrite.Form
	key        []source    // of an UPDATE or DELETE
	conditions []condition // of the same

	rows    [][]source // of an INSERT: one source per column of the table
	upsert  bool       // ON CONFLICT
	nothing bool       // … DO NOTHING

	set        []assignment // of an UPDATE, or of DO UPDATE
	setColumns []int        // those of set, ascending
	additions  columnSet    // places in set that may be increments

	returning *rowColumns // nil without RETURNING

	insertShape *queue.Shape // Insert, or Upsert
	changeShape *queue.Shape // Update or Delete
	// The same with all additions as increments; nil if there are none.
	insertAddShape *queue.Shape
	addShape       *queue.Shape
}

// assignment is one column of a SET list. The value comes from source, or, if
// proposed is not negative, from that column of the row proposed for insertion.
type assignment struct {
	column   int
	zero     driver.Value // what NULL counts as in an addition; nil: as NULL
	op       rewrite.AssignOp
	source   source
	proposed int
}

// binding binds one statement to its table. Its methods return the plan, or the
// reason why there is none; keyed tells whether the statement is keyed.
type binding struct {
	engine *engine
	plan   *plan
	table  *table
	sources
	keyed bool
	row   []source // the key of its only row; nil if that is not certain
	list  *keyList // nil without a list of keys
}

func (b *binding) column(name string) (int, string) {
	if c := b.table.rel.Column(name); c >= 0 {
		return c, ""
	}
	return -1, fmt.Sprintf("the table has no column %q", name)
}

// where splits the conjuncts into the key and the rest.
func (b *binding) where() (key []source, rest []condition, reason string) {
	b.session = b.engine.values
	rel := b.table.rel
	key = make([]source, len(rel.Key))
	found := make([]bool, len(rel.Key))
	listed, unbound := "", ""
	for i := range b.plan.stmt.Where {
		w := &b.plan.stmt.Where[i]
		var columns []int
		for _, name := range w.Columns {
			c, why := b.column(name)
			if why != "" {
				return nil, nil, why
			}
			columns = append(columns, c)
		}
		if w.Op == rewrite.In || w.Op == rewrite.Any {
			if !b.coversKey(columns) {
				return nil, nil, "a list of values that are not of the primary key"
			}
			for _, c := range columns {
				k := slices.Index(rel.Key, c)
				if found[k] {
					listed = "a list of keys, and another condition on the same column"
				}
				found[k] = true
			}
			if b.plan.stmt.Form != rewrite.Select {
				return nil, nil, "it writes a list of keys"
			}
			if b.list != nil {
				listed = firstReason(listed, "two lists of keys")
			}
			list, why := b.bindList(w, columns)
			b.list, listed = list, firstReason(listed, why)
			continue
		}
		k := slices.Index(rel.Key, columns[0])
		if w.Op == rewrite.Equals && k >= 0 && !found[k] {
			s, why := b.bind(&w.Rows[0][0], &rel.Columns[columns[0]], false)
			found[k], key[k] = true, s
			if w.Rows[0][0].Kind == rewrite.Null {
				why = firstReason(why, "the key is NULL")
			}
			unbound = firstReason(unbound, why)
			reason = firstReason(reason, why)
			continue
		}
		c := condition{column: columns[0], op: w.Op}
		if w.Op == rewrite.Equals {
			var why string
			c.source, why = b.bind(&w.Rows[0][0], &rel.Columns[columns[0]], false)
			reason = firstReason(reason, why)
		}
		if c.comparesWithNow() && rel.Columns[columns[0]].SQLType != "timestamp with time zone" {
			reason = firstReason(reason, fmt.Sprintf("column %q, which is no timestamp with time zone, is compared with now()", rel.Columns[columns[0]].Name))
		}
		rest = append(rest, c)
	}
	if slices.Contains(found, false) {
		return nil, nil, "it does not fix every column of the primary key"
	}
	b.keyed = true
	if unbound == "" && b.list == nil {
		b.row = key
	}
	return key, rest, firstReason(listed, reason)
}

func (b *binding) coversKey(columns []int) bool {
	for _, c := range columns {
		if !slices.Contains(b.table.rel.Key, c) {
			return false
		}
	}
	return true
}

func firstReason(reasons ...string) string {
	for _, r := range reasons {
		if r != "" {
			return r
		}
	}
	return ""
}

// lacks says which privilege the role does not hold.
func (b *binding) lacks(privileges ...string) string {
	for _, p := range privileges {
		if !b.table.rel.May(p) {
			return fmt.Sprintf("the role lacks the privilege %s", p)
		}
	}
	return ""
}

func (b *binding) read() (*readPlan, string) {
	st := b.plan.stmt
	key, conditions, reason := b.where()
	if !b.keyed {
		return nil, reason
	}
	r := &readPlan{key: key, conditions: conditions, limit: -1}
	switch {
	case st.Existence == rewrite.CountRows && (len(st.OrderBy) > 0 || st.Lock != ""), st.Existence == rewrite.ExistsRow && st.Lock != "":
		reason = firstReason(reason, "what that means PostgreSQL decides")
	case strings.HasSuffix(st.Lock, "NOWAIT"), strings.HasSuffix(st.Lock, "LOCKED"), st.Lock == "FOR KEY SHARE":
		r.lock = doNotWait
	case st.Lock != "":
		r.lock = waitForRow
	}
	if st.Lock != "" {
		reason = firstReason(reason, b.lacks("UPDATE"))
		if slices.ContainsFunc(conditions, func(c condition) bool { return c.comparesWithNow() }) {
			reason = firstReason(reason, "it locks a row by the time") // repeated later, it may find none
		}
	}
	if strings.HasPrefix(st.Lock, "FOR UPDATE") {
		reason = firstReason(reason, b.referenced()) // who writes a row there waits for the lock
	}
	if st.Existence != rewrite.Rows {
		reason = firstReason(reason, b.existence(r))
		b.keyed = st.Existence != rewrite.ExistsRow // else the row, or none, is not what it answers
	} else {
		columns, names, why := b.items()
		if why != "" {
			b.keyed = false
			return nil, why
		}
		reason = firstReason(reason, b.engine.forms.returnable(b.table.rel, columns))
		r.rowColumns = rowColumns{columns, newResultColumns(b.engine.forms, b.table.rel, columns, names)}
	}
	for _, o := range st.OrderBy {
		reason = firstReason(reason, b.ordered(o.Column))
	}
	if st.Limit != nil {
		reason = firstReason(reason, b.limit(r, st.Limit))
	}
	if b.list != nil {
		reason = firstReason(reason, b.many(r))
	}
	if reason = firstReason(reason, b.lacks("SELECT"), b.unused(st.Params)); reason != "" {
		return nil, reason
	}
	return r, ""
}

// ordered says why it is not certain that rows can be ordered by a column. A type
// that has an equality has an order.
func (b *binding) ordered(name string) string {
	c, why := b.column(name)
	if why != "" {
		return why
	}
	if _, ok := b.table.rel.Columns[c].Type.Compare(b.session, nil); !ok {
		return fmt.Sprintf("the type of column %q has no order", name)
	}
	return ""
}

// limitType stands for the type of a LIMIT, which no column shares.
const limitType = 0

// limit takes a LIMIT that lets at least one row through.
func (b *binding) limit(r *readPlan, v *rewrite.Value) string {
	switch {
	case v.Kind == rewrite.Integer && v.Cast == "":
		if n, err := strconv.ParseInt(v.Text, 10, 64); err == nil && n > 0 {
			r.most = n
			return ""
		}
	case v.Kind == rewrite.Param && v.Cast == "":
		r.limit = v.Index - 1
		return b.use(v.Index, limitType)
	}
	return "the LIMIT may not let the row through"
}

func (b *binding) update() (*writePlan, string) {
	key, conditions, reason := b.where()
	if !b.keyed {
		return nil, reason
	}
	if b.movesKey() {
		b.keyed = false
		return nil, "it may change the primary key"
	}
	w := &writePlan{kind: rewrite.Update, key: key, conditions: conditions}
	reason = firstReason(reason, b.assignments(w, b.plan.stmt.Set), b.table.rel.UpdateUncertain,
		b.returning(w), b.lacks("SELECT", "UPDATE"), b.unused(b.plan.stmt.Params))
	if reason != "" {
		return nil, reason
	}
	w.changeShape, w.addShape = b.shape(queue.Update, w.setColumns), b.addShape(queue.Update, w)
	return w, ""
}

// movesKey tells whether an UPDATE sets a key column to anything but the value
// that its condition fixes.
func (b *binding) movesKey() bool {
	for _, a := range b.plan.stmt.Set {
		if !slices.Contains(b.table.rel.Key, b.table.rel.Column(a.Column)) {
			continue
		}
		same := slices.ContainsFunc(b.plan.stmt.Where, func(w rewrite.Condition) bool {
			return w.Op == rewrite.Equals && w.Columns[0] == a.Column && w.Rows[0][0] == a.Value
		})
		if !same || a.Op != rewrite.SetTo {
			return true
		}
	}
	return false
}

func (b *binding) delete() (*writePlan, string) {
	key, conditions, reason := b.where()
	if !b.keyed {
		return nil, reason
	}
	reason = firstReason(reason, b.referenced())
	w := &writePlan{kind: rewrite.Delete, key: key, conditions: conditions}
	if reason = firstReason(reason, b.returning(w), b.lacks("SELECT", "DELETE"), b.unused(b.plan.stmt.Params)); reason != "" {
		return nil, reason
	}
	w.changeShape = b.shape(queue.Delete, nil)
	return w, ""
}

// referenced says which foreign key refers to the table.
func (b *binding) referenced() string {
	if refs := b.table.rel.ReferencedBy; len(refs) > 0 {
		return fmt.Sprintf("the foreign key %q of %s refers to the table", refs[0].Name, refs[0].Child)
	}
	return ""
}

// items resolves a select or RETURNING list of plain columns.
func (b *binding) items() (columns []int, names []string, reason string) {
	for _, item := range b.plan.stmt.Items {
		if item.Star {
			for i := range b.table.rel.Columns {
				columns, names = append(columns, i), append(names, b.table.rel.Columns[i].Name)
			}
			continue
		}
		c, why := b.column(item.Column)
		if why != "" {
			return nil, nil, why
		}
		columns, names = append(columns, c), append(names, cmp.Or(item.As, item.Column))
	}
	return columns, names, ""
}

// returning binds the RETURNING list of a write, if it has one.
func (b *binding) returning(w *writePlan) string {
	if len(b.plan.stmt.Items) == 0 {
		return ""
	}
	columns, names, why := b.items()
	if why == "" {
		why = b.engine.forms.returnable(b.table.rel, columns)
		w.returning = &rowColumns{columns, newResultColumns(b.engine.forms, b.table.rel, columns, names)}
	}
	return why
}

func (b *binding) shape(kind queue.Kind, set []int) *queue.Shape {
	return b.engine.queue.Shape(b.table.rel, kind, set)
}

// assignments binds a SET list.
func (b *binding) assignments(w *writePlan, set []rewrite.Assignment) (reason string) {
	rel := b.table.rel
	for i := range set {
		a := &set[i]
		c, why := b.column(a.Column)
		if why != "" {
			return why
		}
		if slices.Contains(w.setColumns, c) {
			return fmt.Sprintf("column %q is set twice", a.Column)
		}
		bound := assignment{column: c, op: a.Op, proposed: -1}
		reason = firstReason(reason, unwritable(&rel.Columns[c]))
		if a.Op != rewrite.SetTo && !rel.Columns[c].Type.Adds() {
			reason = firstReason(reason, fmt.Sprintf("what is added to column %q is not certain", a.Column))
		}
		if a.OrZero {
			bound.zero, why = b.zero(&rel.Columns[c])
			reason = firstReason(reason, why)
		}
		switch {
		case a.Value.Kind == rewrite.Excluded:
			p, why := b.column(a.Value.Text)
			if why == "" && rel.Columns[p].SQLType != rel.Columns[c].SQLType {
				why = fmt.Sprintf("column %q is set from a column of another type", a.Column)
			}
			if bound.proposed = p; p < 0 || rel.Columns[max(p, 0)].Type.Mod != rel.Columns[c].Type.Mod {
				why = firstReason(why, fmt.Sprintf("column %q is set from a column of another length", a.Column))
			}
			reason = firstReason(reason, why)
		case a.Op != rewrite.SetTo && a.Value.Kind != rewrite.Param && a.Value.Kind != rewrite.Integer:
			reason = firstReason(reason, fmt.Sprintf("what is added to column %q is not certain", a.Column))
		default:
			// What is added is compared with the type, not stored in the column:
			// its length modifier applies to the sum only.
			bound.source, why = b.bind(&a.Value, &rel.Columns[c], a.Op == rewrite.SetTo)
			reason = firstReason(reason, why)
		}
		w.set = append(w.set, bound)
		w.setColumns = append(w.setColumns, c)
	}
	slices.SortFunc(w.set, func(a, b assignment) int { return a.column - b.column })
	slices.Sort(w.setColumns)
	w.additions = b.additions(w.set)
	return reason
}

// zero returns what COALESCE(c, 0) is where c is NULL. The types are those for which the
// expression is of the column's own type.
func (b *binding) zero(c *catalog.Column) (zero driver.Value, reason string) {
	if slices.Contains([]string{"integer", "bigint", "numeric"}, c.SQLType) {
		typ := c.Type
		typ.Mod = -1
		if v, ok := typ.Literal(b.session, pgvalue.LiteralInteger, "0", true); ok {
			return v, ""
		}
	}
	return nil, fmt.Sprintf("the type of column %q and that of 0 are not one", c.Name)
}

// unwritable says why a column may not be written at all.
func unwritable(c *catalog.Column) string {
	switch {
	case c.Generated:
		return fmt.Sprintf("PostgreSQL generates column %q", c.Name)
	case c.Identity == 'a':
		return fmt.Sprintf("column %q is GENERATED ALWAYS AS IDENTITY", c.Name)
	}
	return ""
}
