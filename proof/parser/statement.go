//go:build cgo

package parser

import (
	"errors"
	"fmt"

	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/writebehind/writebehind/rewrite"
)

// form is what confirms the parts of one statement.
type form struct {
	*rewrite.Statement
	upsert bool // in the SET list of ON CONFLICT
}

// statement confirms a recognised statement.
func statement(s *rewrite.Statement, n *pg.Node) error {
	f := form{Statement: s}
	var err error
	switch s.Form {
	case rewrite.Insert:
		err = f.insert(n.GetInsertStmt())
	case rewrite.Update:
		err = f.update(n.GetUpdateStmt())
	case rewrite.Delete:
		err = f.delete(n.GetDeleteStmt())
	case rewrite.Select:
		err = f.selectStatement(n.GetSelectStmt())
	}
	if err != nil {
		return fmt.Errorf("form: %w", err)
	}
	return nil
}

func (f form) insert(n *pg.InsertStmt) error {
	return errors.Join(
		only(n, "relation", "cols", "select_stmt", "on_conflict_clause", "returning_list", "override"),
		f.table(n.GetRelation()), f.columns(n.GetCols()), f.rows(n.GetSelectStmt()), f.conflict(n.GetOnConflictClause()),
		f.items(n.GetReturningList()), must(n.GetOverride() == pg.OverridingKind_OVERRIDING_NOT_SET, "OVERRIDING"))
}

func (f form) update(n *pg.UpdateStmt) error {
	return errors.Join(only(n, "relation", "target_list", "where_clause", "returning_list"),
		f.table(n.GetRelation()), f.set(f.Set, n.GetTargetList()), f.where(n.GetWhereClause()), f.items(n.GetReturningList()))
}

func (f form) delete(n *pg.DeleteStmt) error {
	return errors.Join(only(n, "relation", "where_clause", "returning_list"),
		f.table(n.GetRelation()), f.where(n.GetWhereClause()), f.items(n.GetReturningList()))
}

// must returns an error that names what does not hold.
func must(holds bool, format string, args ...any) error {
	if holds {
		return nil
	}
	return fmt.Errorf(format, args...)
}

func (f form) table(r *pg.RangeVar) error {
	if err := only(r, "schemaname", "relname", "inh", "relpersistence", "alias"); err != nil {
		return err
	}
	if r.GetAlias() != nil {
		if err := only(r.GetAlias(), "aliasname"); err != nil {
			return err
		}
	}
	return must(rewrite.Ident{Schema: r.GetSchemaname(), Name: r.GetRelname()} == f.Table && r.GetAlias().GetAliasname() == f.Alias &&
		r.GetInh() && r.GetRelpersistence() == "p", "table %v alias %q is %v", f.Table, f.Alias, r)
}

// columns confirms the column list of an INSERT.
func (f form) columns(nodes []*pg.Node) error {
	if len(nodes) != len(f.Columns) || (f.Columns == nil) != (len(nodes) == 0) {
		return fmt.Errorf("columns %q are %v", f.Columns, nodes)
	}
	for i, n := range nodes {
		if err := only(n.GetResTarget(), "name"); err != nil || n.GetResTarget().GetName() != f.Columns[i] {
			return fmt.Errorf("column %q is %v", f.Columns[i], n)
		}
	}
	return nil
}

// rows confirms the rows of VALUES. For DEFAULT VALUES the tree has none.
func (f form) rows(n *pg.Node) error {
	if n == nil {
		return must(len(f.Rows) == 1 && len(f.Rows[0]) == 0, "rows %v are DEFAULT VALUES", f.Rows)
	}
	list := n.GetSelectStmt()
	if err := only(list, "values_lists", "limit_option", "op"); err != nil {
		return err
	}
	if len(list.GetValuesLists()) != len(f.Rows) {
		return fmt.Errorf("there are %d rows, not %d", len(list.GetValuesLists()), len(f.Rows))
	}
	for i, row := range list.GetValuesLists() {
		items := row.GetList().GetItems()
		if len(items) != len(f.Rows[i]) {
			return fmt.Errorf("row %d has %d values, not %d", i, len(items), len(f.Rows[i]))
		}
		for j, n := range items {
			if err := value(f.Rows[i][j], n); err != nil {
				return err
			}
		}
	}
	return nil
}

// conflict confirms an ON CONFLICT clause.
func (f form) conflict(c *pg.OnConflictClause) error {
	if c == nil || f.Conflict == nil {
		return must(c == nil && f.Conflict == nil, "conflict %v is %v", f.Conflict, c)
	}
	if err := only(c, "action", "infer", "target_list"); err != nil {
		return err
	}
	if c.GetInfer() != nil {
		if err := only(c.GetInfer(), "index_elems"); err != nil {
			return err
		}
	}
	elements := c.GetInfer().GetIndexElems()
	if len(elements) != len(f.Conflict.Columns) {
		return fmt.Errorf("conflict target %q is %v", f.Conflict.Columns, elements)
	}
	for i, n := range elements {
		e := n.GetIndexElem()
		if err := only(e, "name", "ordering", "nulls_ordering"); err != nil {
			return err
		}
		if e.GetName() != f.Conflict.Columns[i] || e.GetOrdering() != pg.SortByDir_SORTBY_DEFAULT ||
			e.GetNullsOrdering() != pg.SortByNulls_SORTBY_NULLS_DEFAULT {
			return fmt.Errorf("conflict column %q is %v", f.Conflict.Columns[i], e)
		}
	}
	if f.Conflict.Nothing {
		return must(c.GetAction() == pg.OnConflictAction_ONCONFLICT_NOTHING && f.Conflict.Set == nil, "DO NOTHING is %v", c)
	}
	f.upsert = true
	return errors.Join(must(c.GetAction() == pg.OnConflictAction_ONCONFLICT_UPDATE, "DO UPDATE is %v", c),
		f.set(f.Conflict.Set, c.GetTargetList()))
}
