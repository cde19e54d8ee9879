//go:build cgo

package parser

import (
	"errors"
	"fmt"

	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/writebehind/writebehind/rewrite"
)

// selectStatement confirms a SELECT from one table, or SELECT EXISTS of one.
func (f form) selectStatement(n *pg.SelectStmt) error {
	if f.Existence != rewrite.ExistsRow {
		return errors.Join(f.from(n), f.list(n.GetTargetList()))
	}
	if err := only(n, "target_list", "limit_option", "op"); err != nil {
		return err
	}
	target, err := oneTarget(n.GetTargetList())
	if err != nil {
		return err
	}
	link := target.GetVal().GetSubLink()
	if err := errors.Join(only(link, "sub_link_type", "subselect"), named(f.Items, target, "exists")); err != nil {
		return err
	}
	if link.GetSubLinkType() != pg.SubLinkType_EXISTS_SUBLINK {
		return fmt.Errorf("EXISTS is %v", link)
	}
	inner := link.GetSubselect().GetSelectStmt()
	target, err = oneTarget(inner.GetTargetList())
	if err != nil {
		return err
	}
	if target.GetVal().GetAConst() == nil && !f.isStar(target.GetVal()) {
		return fmt.Errorf("EXISTS of %v", target)
	}
	return f.from(inner)
}

// from confirms all of a SELECT but its list.
func (f form) from(n *pg.SelectStmt) error {
	if err := only(n, "target_list", "from_clause", "where_clause", "sort_clause", "limit_count", "limit_option",
		"locking_clause", "op"); err != nil {
		return err
	}
	if len(n.GetFromClause()) != 1 {
		return fmt.Errorf("FROM %v", n.GetFromClause())
	}
	return errors.Join(
		f.table(n.GetFromClause()[0].GetRangeVar()), f.where(n.GetWhereClause()), f.orderBy(n.GetSortClause(), n.GetTargetList()), f.limit(n), f.lock(n.GetLockingClause()))
}

func oneTarget(list []*pg.Node) (*pg.ResTarget, error) {
	if len(list) != 1 {
		return nil, fmt.Errorf("the list has %d elements", len(list))
	}
	return list[0].GetResTarget(), only(list[0].GetResTarget(), "name", "val")
}

// named confirms the one output name of an existence form; usual is the one that
// PostgreSQL gives.
func named(items []rewrite.Item, target *pg.ResTarget, usual string) error {
	name := target.GetName()
	if name == "" {
		name = usual
	}
	return must(len(items) == 1 && items[0].As == name, "the name is %q, not %+v", name, items)
}

// list confirms the list of a SELECT from the table.
func (f form) list(list []*pg.Node) error {
	if f.Existence == rewrite.Rows {
		return f.items(list)
	}
	target, err := oneTarget(list)
	if err != nil {
		return err
	}
	if f.Existence == rewrite.ConstantRow {
		return errors.Join(named(f.Items, target, "?column?"), value(f.Items[0].Value, target.GetVal()),
			must(target.GetVal().GetAConst() != nil, "%v is no constant", target))
	}
	count := target.GetVal().GetFuncCall()
	if err := only(count, "funcname", "args", "agg_star", "funcformat"); err != nil {
		return err
	}
	name, _ := texts(count.GetFuncname())
	constant := len(count.GetArgs()) == 1 && count.GetArgs()[0].GetAConst() != nil && !count.GetArgs()[0].GetAConst().GetIsnull()
	return errors.Join(named(f.Items, target, "count"),
		must(len(name) == 1 && name[0] == "count" && (count.GetAggStar() || constant), "count is %v", count))
}

// items confirms a list of columns.
func (f form) items(list []*pg.Node) error {
	if len(list) != len(f.Items) {
		return fmt.Errorf("the list has %d elements, not %d", len(list), len(f.Items))
	}
	for i, n := range list {
		target, item := n.GetResTarget(), f.Items[i]
		if err := only(target, "name", "val"); err != nil {
			return err
		}
		as := rewrite.Item{Star: f.isStar(target.GetVal()), As: target.GetName()}
		if !as.Star {
			as.Column = item.Column
		}
		if item != as || !as.Star && !f.isColumn(item.Column, target.GetVal()) {
			return fmt.Errorf("item %+v is %v", item, target)
		}
	}
	return nil
}

// isStar tells whether a node is * or the table's name with .*.
func (f form) isStar(n *pg.Node) bool {
	fields := n.GetColumnRef().GetFields()
	if len(fields) == 0 || fields[len(fields)-1].GetAStar() == nil {
		return false
	}
	names, ok := texts(fields[:len(fields)-1])
	return ok && f.isRow(names)
}

func (f form) orderBy(list, targets []*pg.Node) error {
	if len(list) != len(f.OrderBy) {
		return fmt.Errorf("ORDER BY has %d elements, not %d", len(list), len(f.OrderBy))
	}
	for i, n := range list {
		s := n.GetSortBy()
		if err := only(s, "node", "sortby_dir", "sortby_nulls"); err != nil {
			return err
		}
		descending := s.GetSortbyDir() == pg.SortByDir_SORTBY_DESC
		first := s.GetSortbyNulls() == pg.SortByNulls_SORTBY_NULLS_FIRST ||
			s.GetSortbyNulls() == pg.SortByNulls_SORTBY_NULLS_DEFAULT && descending
		o := f.OrderBy[i]
		if !f.isColumn(o.Column, s.GetNode()) || o.Descending != descending || o.NullsFirst != first ||
			s.GetSortbyDir() == pg.SortByDir_SORTBY_USING {
			return fmt.Errorf("ORDER BY %+v is %v", o, s)
		}
		// A name alone means an output column, if there is one.
		for _, n := range targets {
			target := n.GetResTarget()
			if len(s.GetNode().GetColumnRef().GetFields()) == 1 && target.GetName() == o.Column && !f.isColumn(o.Column, target.GetVal()) {
				return fmt.Errorf("ORDER BY %+v means the output column", o)
			}
		}
	}
	return nil
}

func (f form) limit(n *pg.SelectStmt) error {
	if f.Limit == nil || n.GetLimitCount() == nil {
		return must(f.Limit == nil && n.GetLimitCount() == nil, "LIMIT %v is %v", f.Limit, n.GetLimitCount())
	}
	return errors.Join(value(*f.Limit, n.GetLimitCount()),
		must(n.GetLimitOption() == pg.LimitOption_LIMIT_OPTION_COUNT, "LIMIT is %v", n.GetLimitOption()))
}

// locks are the locking clauses by strength.
var locks = map[pg.LockClauseStrength]string{
	pg.LockClauseStrength_LCS_FORUPDATE: "FOR UPDATE", pg.LockClauseStrength_LCS_FORNOKEYUPDATE: "FOR NO KEY UPDATE",
	pg.LockClauseStrength_LCS_FORSHARE: "FOR SHARE", pg.LockClauseStrength_LCS_FORKEYSHARE: "FOR KEY SHARE",
}

func (f form) lock(list []*pg.Node) error {
	if len(list) == 0 || f.Lock == "" {
		return must(len(list) == 0 && f.Lock == "", "lock %q is %v", f.Lock, list)
	}
	c := list[0].GetLockingClause()
	if err := only(c, "locked_rels", "strength", "wait_policy"); err != nil {
		return err
	}
	name := f.Alias
	if name == "" {
		name = f.Table.Name
	}
	for _, n := range c.GetLockedRels() {
		if r := n.GetRangeVar(); r.GetRelname() != name || r.GetSchemaname() != "" || r.GetCatalogname() != "" {
			return fmt.Errorf("FOR … OF %v", r)
		}
	}
	text := locks[c.GetStrength()]
	switch c.GetWaitPolicy() {
	case pg.LockWaitPolicy_LockWaitSkip:
		text += " SKIP LOCKED"
	case pg.LockWaitPolicy_LockWaitError:
		text += " NOWAIT"
	}
	return must(len(list) == 1 && text == f.Lock, "lock %q is %v", f.Lock, list)
}
