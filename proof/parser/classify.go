//go:build cgo

package parser

import (
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"
	"google.golang.org/protobuf/proto"

	"github.com/writebehind/writebehind/rewrite"
)

// class is what a tree says of the kind of a statement: the least that a Summary
// must say.
type class struct {
	effect      rewrite.Effect
	transaction rewrite.Transaction
	leavesOpen  bool
	session     bool
	ddl         bool
}

// add adds the class of a further statement of the text.
func (c *class) add(other class) {
	c.effect = max(c.effect, other.effect)
	c.session, c.ddl = c.session || other.session, c.ddl || other.ddl
	if other.transaction != rewrite.NoTransaction {
		c.transaction = other.transaction
		c.leavesOpen = other.transaction != rewrite.EndTransaction
	}
}

func classify(n *pg.Node) class {
	c := class{effect: rewrite.Unknown}
	switch s := n.GetNode().(type) {
	case *pg.Node_SelectStmt, *pg.Node_InsertStmt, *pg.Node_UpdateStmt, *pg.Node_DeleteStmt, *pg.Node_MergeStmt:
		return query(n)
	case *pg.Node_TruncateStmt:
		if s.TruncateStmt.GetBehavior() != pg.DropBehavior_DROP_CASCADE {
			c.effect = rewrite.Writes
		}
	case *pg.Node_ExplainStmt:
		return explain(s.ExplainStmt)
	case *pg.Node_VariableShowStmt:
		c.effect = rewrite.NoEffect
	case *pg.Node_VariableSetStmt:
		c.effect, c.session = rewrite.NoEffect, true
	case *pg.Node_ListenStmt, *pg.Node_UnlistenStmt, *pg.Node_DeallocateStmt, *pg.Node_ClosePortalStmt:
		c.effect, c.session = rewrite.NoEffect, true
	case *pg.Node_DiscardStmt, *pg.Node_DeclareCursorStmt, *pg.Node_PrepareStmt, *pg.Node_ExecuteStmt, *pg.Node_FetchStmt,
		*pg.Node_LoadStmt, *pg.Node_DoStmt, *pg.Node_CallStmt:
		c.session = true
	case *pg.Node_TransactionStmt:
		return transaction(s.TransactionStmt)
	default:
		c.ddl = isDDL(n)
		c.session = c.ddl && makesTemporary(n)
	}
	return c
}

// query judges a statement that reads or writes rows, by all that is in it.
func query(n *pg.Node) class {
	c := class{effect: rewrite.Reads}
	walk(n.ProtoReflect(), func(m proto.Message) bool {
		switch m.(type) {
		case *pg.InsertStmt, *pg.UpdateStmt, *pg.DeleteStmt, *pg.MergeStmt, *pg.LockingClause:
			c.effect = rewrite.Writes
		case *pg.IntoClause:
			if n.GetSelectStmt() == nil {
				return true // PostgreSQL refuses it after it has parsed it
			}
			c.effect, c.ddl = rewrite.Writes, true
			c.session = c.session || makesTemporary(n)
		}
		return true
	})
	return c
}

// explain judges an EXPLAIN. With ANALYZE, whatever its value, it may do what its
// statement does.
func explain(e *pg.ExplainStmt) class {
	c := classify(e.GetQuery())
	for _, option := range e.GetOptions() {
		if option.GetDefElem().GetDefname() == "analyze" {
			return c
		}
	}
	least := class{effect: rewrite.Reads}
	if e.GetQuery().GetExecuteStmt() != nil {
		least.effect = rewrite.Unknown // the prepared statement is not known
	}
	return least
}

func transaction(t *pg.TransactionStmt) class {
	c := class{effect: rewrite.NoEffect}
	switch t.GetKind() {
	case pg.TransactionStmtKind_TRANS_STMT_BEGIN, pg.TransactionStmtKind_TRANS_STMT_START:
		c.transaction = rewrite.BeginTransaction
	case pg.TransactionStmtKind_TRANS_STMT_COMMIT, pg.TransactionStmtKind_TRANS_STMT_ROLLBACK:
		c.transaction = rewrite.EndTransaction
		if t.GetChain() {
			c.transaction = rewrite.InTransaction
		}
	case pg.TransactionStmtKind_TRANS_STMT_SAVEPOINT, pg.TransactionStmtKind_TRANS_STMT_ROLLBACK_TO,
		pg.TransactionStmtKind_TRANS_STMT_RELEASE:
		c.transaction = rewrite.InTransaction
	case pg.TransactionStmtKind_TRANS_STMT_PREPARE:
		c.effect, c.transaction = rewrite.Unknown, rewrite.EndTransaction
	default: // COMMIT PREPARED and ROLLBACK PREPARED
		c.effect = rewrite.Unknown
	}
	return c
}

// makesTemporary tells whether a statement names a relation as a temporary one.
func makesTemporary(n *pg.Node) (temporary bool) {
	walk(n.ProtoReflect(), func(m proto.Message) bool {
		r, is := m.(*pg.RangeVar)
		temporary = temporary || is && r.GetRelpersistence() == "t"
		return !temporary
	})
	return temporary
}

// isDDL tells whether a statement changes the catalog, by the name of its kind.
func isDDL(n *pg.Node) bool {
	name := string(n.ProtoReflect().WhichOneof(n.ProtoReflect().Descriptor().Oneofs().Get(0)).Name())
	for _, prefix := range []string{
		"create", "alter", "drop", "comment", "grant", "rename", "view", "index", "rule", "define", "sec_label", "import",
		"reassign", "composite_type",
	} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
