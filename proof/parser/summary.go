//go:build cgo

package parser

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"
	"google.golang.org/protobuf/proto"

	"github.com/writebehind/writebehind/rewrite"
)

// summary confirms that the Summary of a text leaves out nothing of the tree.
func summary(s *rewrite.Statement, tree *pg.ParseResult) error {
	statements := make([]*pg.Node, len(tree.GetStmts()))
	kind := class{}
	for i, raw := range tree.GetStmts() {
		statements[i] = raw.GetStmt()
		kind.add(classify(raw.GetStmt()))
	}
	if several := len(statements) > 1; several {
		kind.effect = rewrite.Unknown
		if kind.transaction != rewrite.NoTransaction {
			kind.transaction = rewrite.MixedTransaction
		}
	}
	m := collect(tree)
	return errors.Join(
		must(s.Several == (len(statements) > 1), "several: %v, and there are %d statements", s.Several, len(statements)),
		must(s.Effect >= kind.effect, "effect: %d, and it is %d", s.Effect, kind.effect),
		must(s.Transaction == kind.transaction, "transaction: %d, and it is %d", s.Transaction, kind.transaction),
		must(s.Transaction != rewrite.MixedTransaction || s.LeavesOpen == kind.leavesOpen, "leaves open: %v", s.LeavesOpen),
		must(s.Session || !kind.session && !m.session, "session: not told"),
		must(!s.Local || len(statements) == 1 && isLocal(statements[0].GetVariableSetStmt()), "local: told"),
		must(s.DDL || !kind.ddl, "ddl: not told"),
		must(s.Params == m.params || s.Params > m.params && names(s, "treat") || s.Opaque != "", "params: %d, and there are %d", s.Params, m.params),
		verb(s, statements), step(s, statements), m.namedBy(s))
}

// verb confirms the first word of the first statement.
func verb(s *rewrite.Statement, statements []*pg.Node) error {
	var ok bool
	switch {
	case len(statements) == 0:
		ok = s.Verb == ""
	case statements[0].GetSelectStmt() != nil:
		ok = slices.Contains([]string{"SELECT", "VALUES", "TABLE", "WITH"}, s.Verb)
	case statements[0].GetInsertStmt() != nil:
		ok = s.Verb == "INSERT" || s.Verb == "WITH"
	case statements[0].GetUpdateStmt() != nil:
		ok = s.Verb == "UPDATE" || s.Verb == "WITH"
	case statements[0].GetDeleteStmt() != nil:
		ok = s.Verb == "DELETE" || s.Verb == "WITH"
	case statements[0].GetExplainStmt() != nil:
		ok = s.Verb == "EXPLAIN"
	default:
		ok = s.Verb != ""
	}
	return must(ok, "verb: %q", s.Verb)
}

// steps are the plain statements that control a transaction.
var steps = map[pg.TransactionStmtKind][]rewrite.Step{
	pg.TransactionStmtKind_TRANS_STMT_BEGIN:       {rewrite.Begin},
	pg.TransactionStmtKind_TRANS_STMT_START:       {rewrite.Begin},
	pg.TransactionStmtKind_TRANS_STMT_COMMIT:      {rewrite.Commit},
	pg.TransactionStmtKind_TRANS_STMT_ROLLBACK:    {rewrite.Rollback},
	pg.TransactionStmtKind_TRANS_STMT_SAVEPOINT:   {rewrite.Savepoint},
	pg.TransactionStmtKind_TRANS_STMT_ROLLBACK_TO: {rewrite.RollbackTo},
	pg.TransactionStmtKind_TRANS_STMT_RELEASE:     {rewrite.Release},
}

func step(s *rewrite.Statement, statements []*pg.Node) error {
	if s.Step == rewrite.NoStep {
		return nil
	}
	if len(statements) != 1 {
		return errors.New("step: several statements")
	}
	t := statements[0].GetTransactionStmt()
	return must(slices.Contains(steps[t.GetKind()], s.Step) && only(t, "kind", "savepoint_name") == nil &&
		t.GetSavepointName() == s.Savepoint, "step: %d %q is %v", s.Step, s.Savepoint, t)
}

// isLocal tells whether what a SET changes ends with the transaction.
func isLocal(set *pg.VariableSetStmt) bool {
	return set.GetIsLocal() || set.GetKind() == pg.VariableSetKind_VAR_SET_MULTI && strings.HasPrefix(set.GetName(), "TRANSACTION")
}

// mentions are what a tree mentions and a Summary has to name.
type mentions struct {
	relations, identifiers, functions []rewrite.Ident
	ctes                              map[string]bool
	operators                         []string
	params                            int
	session                           bool
}

func collect(tree *pg.ParseResult) *mentions {
	m := &mentions{ctes: map[string]bool{}}
	walk(tree.ProtoReflect(), func(node proto.Message) bool {
		clause, is := node.(*pg.LockingClause)
		for _, n := range clause.GetLockedRels() {
			// It names what is in FROM, by its alias. PostgreSQL refuses it with a schema.
			m.identifiers = append(m.identifiers, rewrite.Ident{Schema: n.GetRangeVar().GetSchemaname(), Name: n.GetRangeVar().GetRelname()})
		}
		if !is {
			m.visit(node)
		}
		return !is
	})
	return m
}

func (m *mentions) visit(node proto.Message) {
	switch n := node.(type) {
	case *pg.RangeVar:
		m.relations = append(m.relations, rewrite.Ident{Schema: n.GetSchemaname(), Name: n.GetRelname()})
		m.session = m.session || strings.HasPrefix(n.GetSchemaname(), "pg_temp")
	case *pg.CommonTableExpr:
		m.ctes[n.GetCtename()] = true
	case *pg.ColumnRef:
		m.chain(n.GetFields())
	case *pg.A_Indirection:
		m.chain(n.GetIndirection())
	case *pg.TypeName:
		if names, ok := texts(n.GetNames()); ok && names[0] != "pg_catalog" && !slices.Contains(typeFuncNames, names[0]) {
			m.chain(n.GetNames())
		}
	case *pg.FuncCall:
		m.function(n)
	case *pg.A_Expr:
		m.operator(n)
	case *pg.SubLink:
		m.written(n.GetOperName())
	case *pg.SortBy:
		m.written(n.GetUseOp())
	case *pg.CaseExpr:
		if n.GetArg() != nil {
			m.operators = append(m.operators, "=")
		}
	case *pg.JoinExpr:
		if n.GetIsNatural() || len(n.GetUsingClause()) > 0 {
			m.operators = append(m.operators, "=")
		}
	case *pg.ParamRef:
		m.params = max(m.params, int(n.GetNumber()))
	}
}

// typeFuncNames are the keywords that can name a type and no relation.
var typeFuncNames = strings.Fields(`authorization binary collation concurrently cross current_schema freeze full ilike
	inner is isnull join left like natural notnull outer overlaps right similar tablesample verbose`)

// chain adds the names of a.b.c.
func (m *mentions) chain(nodes []*pg.Node) {
	schema := ""
	for _, n := range nodes {
		if n.GetString_() == nil {
			schema = ""
			continue
		}
		m.identifiers = append(m.identifiers, rewrite.Ident{Schema: schema, Name: n.GetString_().GetSval()})
		schema = n.GetString_().GetSval()
	}
}

// bySyntax are functions that PostgreSQL's grammar puts in where no name is
// written; all are built in and only compute.
var bySyntax = []string{"like_escape", "similar_to_escape", "similar_escape"}

func (m *mentions) function(f *pg.FuncCall) {
	names, _ := texts(f.GetFuncname())
	if f.GetFuncformat() == pg.CoercionForm_COERCE_SQL_SYNTAX || len(names) == 0 {
		return
	}
	id := rewrite.Ident{Name: names[len(names)-1]}
	if len(names) > 1 {
		id.Schema = names[len(names)-2]
	}
	if id.Schema == "pg_catalog" && slices.Contains(bySyntax, id.Name) {
		return
	}
	m.functions = append(m.functions, id)
	m.session = m.session || id.Name == "set_config"
}

// written adds an operator by the name that is written, the last of which is its own.
func (m *mentions) written(nodes []*pg.Node) {
	if names, ok := texts(nodes); ok && len(names) > 0 {
		m.operators = append(m.operators, names[len(names)-1])
	}
}

func (m *mentions) operator(e *pg.A_Expr) {
	switch e.GetKind() {
	case pg.A_Expr_Kind_AEXPR_BETWEEN, pg.A_Expr_Kind_AEXPR_BETWEEN_SYM:
		m.operators = append(m.operators, ">=", "<=")
	case pg.A_Expr_Kind_AEXPR_NOT_BETWEEN, pg.A_Expr_Kind_AEXPR_NOT_BETWEEN_SYM:
		m.operators = append(m.operators, "<", ">")
	default:
		m.written(e.GetName())
	}
}

// names tells whether a Summary has an identifier. TREAT(x AS type) calls a function
// of the type's name in pg_catalog, and its tree leaves out what modifies the type.
func names(s *rewrite.Statement, name string) bool {
	return slices.ContainsFunc(s.Identifiers, func(id rewrite.Ident) bool { return id.Name == name })
}

// namedBy confirms that a Summary names all that is mentioned, or says that it
// cannot tell the names.
func (m *mentions) namedBy(s *rewrite.Statement) error {
	if s.Opaque != "" {
		return nil
	}
	for _, id := range slices.Concat(m.relations, m.identifiers) {
		if !slices.Contains(s.Identifiers, id) {
			return fmt.Errorf("identifier: no %v", id)
		}
	}
	if s.Effect < rewrite.Unknown {
		for _, id := range m.relations {
			if !slices.Contains(s.Relations, id) && (id.Schema != "" || !m.ctes[id.Name]) {
				return fmt.Errorf("relation: no %v", id)
			}
		}
	}
	for _, id := range m.functions {
		if slices.Contains(s.Functions, id) || id.Schema == "pg_catalog" && slices.Contains(s.Functions, rewrite.Ident{Name: id.Name}) {
			continue
		}
		if id.Schema != "pg_catalog" || !names(s, "treat") {
			return fmt.Errorf("function: no %v", id)
		}
	}
	for _, op := range m.operators {
		if !slices.Contains(s.Operators, op) {
			return fmt.Errorf("operator: no %s", op)
		}
	}
	return nil
}
