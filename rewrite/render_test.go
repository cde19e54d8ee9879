package rewrite

import (
	"strconv"
	"strings"
)

// render writes a recognised statement as SQL again, so that PostgreSQL can
// tell whether it still means the same.
func (s *Statement) render() string {
	table := Quote(s.Table.Name)
	if s.Table.Schema != "" {
		table = Quote(s.Table.Schema) + "." + table
	}
	row := Quote(s.Table.Name)
	if s.Alias != "" {
		row = Quote(s.Alias)
		table += " AS " + row
	}
	returning := ""
	if s.Form != Select && s.Items != nil {
		returning = " RETURNING " + s.renderItems()
	}
	switch s.Form {
	case Insert:
		return "INSERT INTO " + table + s.renderInsert(row) + returning
	case Update:
		return "UPDATE " + table + " SET " + renderSet(s.Set, row) + s.renderWhere() + returning
	case Delete:
		return "DELETE FROM " + table + s.renderWhere() + returning
	case Select:
		list := s.renderItems()
		if s.Existence == ExistsRow {
			list = "1"
		}
		text := "SELECT " + list + " FROM " + table + s.renderWhere() + s.renderOrder(row)
		if s.Existence == ExistsRow {
			text = "SELECT EXISTS (" + text + ") AS " + Quote(s.Items[0].As)
		}
		return text
	}
	return ""
}

func join[T any](list []T, render func(T) string) string {
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = render(v)
	}
	return strings.Join(texts, ", ")
}

func (v Value) render() string {
	text := map[ValueKind]string{
		Param: "$" + strconv.Itoa(v.Index), Null: "NULL", DefaultKey: "DEFAULT", Now: "now()", Excluded: "EXCLUDED." + Quote(v.Text),
		String: quoteString(v.Text), Integer: "(" + v.Text + ")", Decimal: "(" + v.Text + ")", Bool: v.Text, Expression: v.Text,
	}[v.Kind]
	if v.Cast != "" {
		text += "::" + v.Cast
	}
	return text
}

func quoteString(text string) string {
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}

func renderRow(values []Value) string { return "(" + join(values, Value.render) + ")" }

func (s *Statement) renderItems() string {
	return join(s.Items, func(item Item) string {
		text := Quote(item.Column)
		switch {
		case item.Star:
			return "*"
		case s.Existence == ConstantRow:
			text = item.Value.render()
		case s.Existence == CountRows:
			text = "count(*)"
		}
		if item.As != "" {
			text += " AS " + Quote(item.As)
		}
		return text
	})
}

func renderSet(set []Assignment, row string) string {
	return join(set, func(a Assignment) string {
		column := Quote(a.Column)
		own := row + "." + column
		if a.OrZero {
			own = "COALESCE(" + own + ", 0)"
		}
		op := map[AssignOp]string{Add: own + " + ", Subtract: own + " - "}[a.Op]
		return column + " = " + op + a.Value.render()
	})
}

func (s *Statement) renderInsert(row string) string {
	text := ""
	if s.Columns != nil {
		text = " (" + join(s.Columns, Quote) + ")"
	}
	if len(s.Rows[0]) == 0 {
		text += " DEFAULT VALUES"
	} else {
		text += " VALUES " + join(s.Rows, renderRow)
	}
	if s.Conflict == nil {
		return text
	}
	text += " ON CONFLICT "
	if s.Conflict.Columns != nil {
		text += "(" + join(s.Conflict.Columns, Quote) + ") "
	}
	if s.Conflict.Nothing {
		return text + "DO NOTHING"
	}
	return text + "DO UPDATE SET " + renderSet(s.Conflict.Set, row)
}

func (s *Statement) renderWhere() string {
	text := " WHERE true"
	for _, c := range s.Where {
		columns := join(c.Columns, Quote)
		switch c.Op {
		case Equals:
			text += " AND " + columns + " = " + c.Rows[0][0].render()
		case In:
			text += " AND (" + columns + ") IN (" + join(c.Rows, renderRow) + ")"
		case Any:
			text += " AND " + columns + " = ANY (" + c.Rows[0][0].render() + ")"
		case IsNull:
			text += " AND " + columns + " IS NULL"
		case IsNotNull:
			text += " AND " + columns + " IS NOT NULL"
		default:
			text += " AND " + columns + map[ConditionOp]string{
				BeforeNow: " < ", NotAfterNow: " <= ", AfterNow: " > ", NotBeforeNow: " >= ",
			}[c.Op] + "now()"
		}
	}
	return text
}

func (s *Statement) renderOrder(row string) string {
	text := ""
	if s.OrderBy != nil {
		text = " ORDER BY " + join(s.OrderBy, func(o Order) string {
			return row + "." + Quote(o.Column) + map[bool]string{true: " DESC", false: " ASC"}[o.Descending] +
				map[bool]string{true: " NULLS FIRST", false: " NULLS LAST"}[o.NullsFirst]
		})
	}
	if s.Limit != nil {
		text += " LIMIT " + s.Limit.render()
	}
	if s.Lock != "" {
		text += " " + s.Lock
	}
	return text
}
