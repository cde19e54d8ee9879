package catalog

// schema is the answer of schemaQuery. PostgreSQL writes OIDs into JSON as
// strings.
type schema struct {
	Version   string
	Path      []string
	Relations []relationRow
	Columns   []columnRow
	Enums     []struct {
		Type   uint32 `json:",string"`
		Labels []string
	}
	Domains []struct {
		Type        uint32 `json:",string"`
		Base        uint32 `json:",string"`
		Constrained bool
	}
	Sequences []struct {
		OID       uint32 `json:",string"`
		Increment int64
		Min, Max  int64
		Cache     int64
		Cycle     bool
		Owner     uint32 `json:",string"`
		Column    string
	}
	Draws []struct {
		Rel uint32 `json:",string"`
		Num int
		Seq uint32 `json:",string"`
	}
	Generators []struct {
		Rel  uint32 `json:",string"`
		Num  int
		Base int
	}
	Indexes     []indexRow
	Checks      []checkRow
	ForeignKeys []foreignKeyRow `json:"foreign_keys"`
	Triggers    []dependantRow
	Rules       []dependantRow
	Policies    []dependantRow
	Inherits    []struct {
		Child  uint32 `json:",string"`
		Parent uint32 `json:",string"`
	}
	Uses []struct {
		Rel  uint32 `json:",string"`
		Used uint32 `json:",string"`
	}
	UserFunctions []string `json:"user_functions"`
	UserOperators []string `json:"user_operators"`
	UserCasts     []string `json:"user_casts"`
}

type relationRow struct {
	OID          uint32 `json:",string"`
	Schema       string
	Name         string
	Kind         string
	Persistence  string
	Partition    bool
	Secured      bool // row security applies to the role
	Lacks        []string
	Strategy     string // of a partitioned table: h, l, r
	HasDefault   bool   `json:"has_default"`
	PartitionKey []int  `json:"partition_key"`
	Bound        string // of a partition
	Calls        string // of the partition key
}

type columnRow struct {
	Rel           uint32 `json:",string"`
	Num           int
	Name          string
	NotNull       bool
	Identity      string
	Generated     string
	Type          uint32 `json:",string"`
	Mod           int32
	Kind          string // pg_type.typtype
	Category      string // pg_type.typcategory
	Width         int    // pg_type.typlen: negative if variable
	SQLType       string
	FullType      string
	Deterministic bool
	C             bool
	Expr          string // the default or what generates the column
	TypeExpr      string `json:"type_expr"` // the default of the domain
	Calls         string // of the default
	TypeCalls     string `json:"type_calls"`
}

type indexRow struct {
	OID              uint32 `json:",string"`
	Rel              uint32 `json:",string"`
	Name             string
	Method           string
	Unique           bool
	Primary          bool
	Exclusion        bool
	Immediate        bool
	Valid            bool
	Columns          []int // key columns, then included ones; 0 for an expression
	Keys             int
	Expressions      bool
	Partial          bool
	NullsNotDistinct bool  `json:"nulls_not_distinct"`
	Attached         bool  // it is a part of an index of the partitioned table
	Mentions         []int // columns in expressions and predicate
	WholeRow         bool  `json:"whole_row"` // the expressions or the predicate read it
	Calls            string
	Compares         string // a function of an operator class
}

type checkRow struct {
	Rel       uint32 `json:",string"`
	Name      string
	Expr      string
	Columns   []int
	Inherited bool
	Unstable  bool
	// OwnOperators says that an operator in it is not built in.
	OwnOperators bool `json:"own_operators"`
	Calls        string
}

type foreignKeyRow struct {
	Name          string
	Child         uint32 `json:",string"`
	Parent        uint32 `json:",string"`
	ChildColumns  []int  `json:"child_columns"`
	ParentColumns []int  `json:"parent_columns"`
	OnDelete      string `json:"on_delete"`
	OnUpdate      string `json:"on_update"`
	Match         string
	Validated     bool
}

// dependantRow is a trigger, a rule or a policy.
type dependantRow struct {
	Rel   uint32 `json:",string"`
	Name  string
	View  bool   // the rule that makes a view
	Calls string // the function it calls that is not built in
}
