package catalog_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/catalog"
)

func TestResolveFollowsTheSearchPath(t *testing.T) {
	db := database(t,
		`CREATE SCHEMA first`, `CREATE SCHEMA "Second One"`, `CREATE SCHEMA aside`,
		`CREATE TABLE first.t (id int)`, `CREATE TABLE "Second One".t (id int)`, `CREATE TABLE "Second One"."U" (id int)`,
		`CREATE TABLE aside.hidden (id int)`, `CREATE TABLE first.pg_class (id int)`,
		`SET search_path = first, missing, "Second One"`,
	)
	c := load(t, db)
	require.Equal(t, []string{"first", "Second One"}, c.SearchPath)

	require.Equal(t, "first", relation(t, c, "t").Name.Schema)
	require.Equal(t, "Second One", relation(t, c, "U").Name.Schema)
	for _, missing := range []string{"u", "hidden", "pg_class"} {
		_, found := c.Resolve("", missing)
		require.False(t, found, missing)
	}
	_, found := c.Resolve("Second One", "t")
	require.True(t, found)
	_, found = c.Resolve("second one", "t")
	require.False(t, found)
	_, found = c.Resolve("first", "pg_class")
	require.True(t, found)

	require.Equal(t, []string{"Second One.t", "first.t"}, names(c.Named("t")))
	require.Empty(t, c.Named("T"))

	// Where pg_catalog is named, it is searched in its place.
	run(t, db, `SET search_path = first, pg_catalog, "Second One"`)
	c = load(t, db)
	require.Equal(t, []string{"first", "Second One"}, c.SearchPath)
	require.Equal(t, "first", relation(t, c, "pg_class").Name.Schema)
}

func TestForeignKeysAreSeenFromBothSides(t *testing.T) {
	c := loaded(t,
		`CREATE TABLE users (id bigint PRIMARY KEY, a int, b int, UNIQUE (b, a), boss bigint CONSTRAINT boss REFERENCES users)`,
		`CREATE TABLE orders (id bigint PRIMARY KEY, x int, y int,
			CONSTRAINT pair FOREIGN KEY (x, y) REFERENCES users (b, a) MATCH FULL ON DELETE CASCADE ON UPDATE SET NULL)`,
		`CREATE TABLE items (order_id bigint REFERENCES orders ON DELETE RESTRICT)`,
		`CREATE TABLE tags (id bigint PRIMARY KEY)`,
	)
	users, orders, items := relation(t, c, "users"), relation(t, c, "orders"), relation(t, c, "items")
	pair := catalog.ForeignKey{
		Name: "pair", Child: orders.Name, Parent: users.Name, ChildCols: []string{"x", "y"}, ParentCols: []string{"b", "a"},
		OnDelete: 'c', OnUpdate: 'n', Match: 'f', Validated: true,
	}
	boss := catalog.ForeignKey{
		Name: "boss", Child: users.Name, Parent: users.Name, ChildCols: []string{"boss"}, ParentCols: []string{"id"},
		OnDelete: 'a', OnUpdate: 'a', Match: 's', Validated: true,
	}
	require.Equal(t, []catalog.ForeignKey{pair}, orders.References)
	require.Equal(t, []catalog.ForeignKey{boss}, users.References)
	require.Equal(t, []catalog.ForeignKey{boss, pair}, users.ReferencedBy)

	require.Equal(t, []string{"public.orders"}, names(c.Neighbours(users)))
	require.Equal(t, []string{"public.items", "public.users"}, names(c.Neighbours(orders)))
	require.Empty(t, c.Neighbours(relation(t, c, "tags")))
	require.Equal(t, []string{"public.items", "public.orders"}, names(c.Cascade(users)))
	require.Equal(t, []string{"public.items"}, names(c.Cascade(orders)))
	require.Empty(t, c.Cascade(items))
}

func TestForeignKeysOfPartitionsCountForTheWholeTable(t *testing.T) {
	c := loaded(t,
		`CREATE TABLE whole (id bigint PRIMARY KEY, n bigint) PARTITION BY RANGE (id)`,
		`CREATE TABLE part PARTITION OF whole DEFAULT`,
		`CREATE TABLE target (id bigint PRIMARY KEY)`,
		`ALTER TABLE part ADD CONSTRAINT out FOREIGN KEY (n) REFERENCES target`,
		`CREATE TABLE to_part (id bigint PRIMARY KEY, n bigint CONSTRAINT into_part REFERENCES part)`,
		`CREATE TABLE to_whole (id bigint PRIMARY KEY, n bigint CONSTRAINT into_whole REFERENCES whole)`,
	)
	whole := relation(t, c, "whole")
	require.Len(t, whole.References, 1)
	require.Equal(t, "part", whole.References[0].Child.Name)
	var in []string
	for _, k := range whole.ReferencedBy {
		in = append(in, k.Name)
	}
	require.Equal(t, []string{"into_part", "into_whole"}, in)
	require.Equal(t, []string{"public.to_part", "public.to_whole"}, names(c.Cascade(whole)))
	require.Equal(t, []string{"public.to_part", "public.to_whole"}, names(c.Cascade(relation(t, c, "part"))))
	require.Equal(t, []string{"public.part", "public.to_part", "public.to_whole", "public.whole"}, names(c.Cascade(relation(t, c, "target"))))
}
