package rewrite

import "strings"

// category is PostgreSQL's category of a keyword (src/include/parser/kwlist.h).
type category uint8

const (
	noKeyword    category = iota
	unreserved            // any name
	colName               // column or table name, no function or type name
	typeFuncName          // function or type name, no column or table name
	reserved              // no name at all
)

// word identifies the keywords that the recogniser asks for.
type word uint8

const (
	noWord word = iota
	wAnalyse
	wAnalyze
	wAnd
	wAny
	wArray
	wAs
	wAsc
	wBetween
	wBy
	wCascade
	wCase
	wCast
	wChain
	wCoalesce
	wConflict
	wConstraints
	wCopy
	wCurrentTimestamp
	wDefault
	wDelete
	wDesc
	wDistinct
	wDo
	wDouble
	wExists
	wFalse
	wFirst
	wFor
	wFrom
	wGroup
	wGrouping
	wIf
	wIlike
	wIn
	wInsert
	wInto
	wIs
	wIsnull
	wJoin
	wKey
	wLast
	wLike
	wLimit
	wLocal
	wLock
	wLocked
	wMaterialized
	wMerge
	wNatural
	wNo
	wNot
	wNothing
	wNotnull
	wNowait
	wNull
	wNullif
	wNulls
	wOf
	wOn
	wOnly
	wOperator
	wOrder
	wPartition
	wPrecision
	wPrepared
	wRecursive
	wReturning
	wRow
	wSelect
	wSet
	wSets
	wShare
	wSimilar
	wSkip
	wSome
	wTable
	wTemp
	wTemporary
	wTime
	wTo
	wTransaction
	wTrue
	wTruncate
	wUnlogged
	wUpdate
	wUsing
	wValues
	wVarying
	wVerbose
	wWhere
	wWith
	wWithout
	wWork
	wZone
	wordCount
)

// keyword is what is known of an unquoted identifier that is a keyword.
type keyword struct {
	category category
	word     word
	bare     bool // may name an output column without AS
}

// maxKeyword is the length of the longest keyword, in bytes.
const maxKeyword = 17

// keywords are those of pg_get_keywords() of PostgreSQL 15.
var keywords = makeKeywords()

func makeKeywords() map[string]keyword {
	words := [wordCount]string{
		wAnalyse: "analyse", wAnalyze: "analyze", wAnd: "and",
		wAny: "any", wArray: "array", wAs: "as", wAsc: "asc",
		wBetween: "between", wBy: "by", wCascade: "cascade", wCase: "case", wCast: "cast",
		wChain:    "chain",
		wCoalesce: "coalesce", wConflict: "conflict", wConstraints: "constraints", wCopy: "copy",
		wCurrentTimestamp: "current_timestamp", wDefault: "default",
		wDelete: "delete", wDesc: "desc", wDistinct: "distinct", wDo: "do",
		wDouble: "double", wExists: "exists", wFalse: "false",
		wFirst: "first", wFor: "for", wFrom: "from", wGroup: "group",
		wGrouping: "grouping", wIf: "if", wIlike: "ilike", wIn: "in", wInsert: "insert",
		wInto: "into", wIs: "is", wIsnull: "isnull", wJoin: "join", wKey: "key",
		wLast: "last", wLike: "like", wLimit: "limit", wLocal: "local", wLock: "lock",
		wLocked: "locked", wMaterialized: "materialized", wMerge: "merge",
		wNatural: "natural", wNo: "no", wNot: "not", wNothing: "nothing", wNotnull: "notnull",
		wNowait: "nowait", wNull: "null", wNullif: "nullif", wNulls: "nulls", wOf: "of", wOn: "on",
		wOnly: "only", wOperator: "operator", wOrder: "order", wPartition: "partition",
		wPrecision: "precision", wPrepared: "prepared", wRecursive: "recursive",
		wReturning: "returning",
		wRow:       "row", wSelect: "select", wSet: "set",
		wSets: "sets", wShare: "share", wSimilar: "similar", wSkip: "skip",
		wSome: "some", wTable: "table", wTemp: "temp", wTemporary: "temporary",
		wTime: "time", wTo: "to", wTransaction: "transaction", wTrue: "true",
		wTruncate: "truncate", wUnlogged: "unlogged", wUpdate: "update", wUsing: "using",
		wValues: "values", wVarying: "varying", wVerbose: "verbose", wWhere: "where", wWith: "with",
		wWithout: "without", wWork: "work", wZone: "zone",
	}
	m := make(map[string]keyword, 512)
	add := func(c category, bare bool, names string) {
		for _, name := range strings.Fields(names) {
			m[name] = keyword{category: c, bare: bare}
		}
	}
	add(colName, true, `between bigint bit boolean coalesce dec decimal exists extract float
		greatest grouping inout int integer interval least national nchar none normalize nullif
		numeric out overlay position real row setof smallint substring time timestamp treat trim
		values varchar xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces
		xmlparse xmlpi xmlroot xmlserialize xmltable`)
	add(colName, false, `char character precision`)
	add(reserved, true, `all analyse analyze and any asc asymmetric both case cast check collate
		column constraint current_catalog current_date current_role current_time
		current_timestamp current_user default deferrable desc distinct do else end false foreign
		in initially lateral leading localtime localtimestamp not null only or placing primary
		references select session_user some symmetric table then trailing true unique user using
		variadic when`)
	add(reserved, false, `array as create except fetch for from grant group having intersect into
		limit offset on order returning to union where window with`)
	add(typeFuncName, true, `authorization binary collation concurrently cross current_schema
		freeze full ilike inner is join left like natural outer right similar tablesample verbose`)
	add(typeFuncName, false, `isnull notnull overlaps`)
	add(unreserved, true, `abort absolute access action add admin after aggregate also alter
		always asensitive assertion assignment at atomic attach attribute backward before begin
		breadth cache call called cascade cascaded catalog chain characteristics checkpoint class
		cluster columns comment comments commit committed compression configuration conflict
		connection constraints content continue conversion copy cost csv cube current cursor cycle
		data database deallocate declare defaults deferred definer delete delimiter delimiters
		depends depth detach dictionary disable discard document domain double drop each enable
		encoding encrypted enum escape event exclude excluding exclusive execute explain expression
		extension external family finalize first following force forward function functions
		generated global granted groups handler header hold identity if immediate immutable
		implicit import include including increment index indexes inherit inherits inline input
		insensitive insert instead invoker isolation key label language large last leakproof level
		listen load local location lock locked logged mapping match matched materialized maxvalue
		merge method minvalue mode move name names new next nfc nfd nfkc nfkd no normalized nothing
		notify nowait nulls object of off oids old operator option options ordinality others
		overriding owned owner parallel parameter parser partial partition passing password plans
		policy preceding prepare prepared preserve prior privileges procedural procedure procedures
		program publication quote range read reassign recheck recursive ref referencing refresh
		reindex relative release rename repeatable replace replica reset restart restrict return
		returns revoke role rollback rollup routine routines rows rule savepoint schema schemas
		scroll search security sequence sequences serializable server session set sets share show
		simple skip snapshot sql stable standalone start statement statistics stdin stdout storage
		stored strict strip subscription support sysid system tables tablespace temp template
		temporary text ties transaction transform trigger truncate trusted type types uescape
		unbounded uncommitted unencrypted unknown unlisten unlogged until update vacuum valid
		validate validator value version view views volatile whitespace work wrapper write xml yes
		zone by close`)
	add(unreserved, false, `day filter hour minute month over second varying within without year`)
	for i, name := range &words {
		if name != "" {
			k := m[name]
			k.word = word(i)
			m[name] = k
		}
	}
	return m
}

// keywordOf looks an unquoted identifier up, in any letter case.
func keywordOf(ident string) keyword {
	if len(ident) < 2 || len(ident) > maxKeyword {
		return keyword{}
	}
	var folded [maxKeyword]byte
	for i := range len(ident) {
		c := ident[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		folded[i] = c
	}
	return keywords[string(folded[:len(ident)])]
}
