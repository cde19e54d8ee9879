package catalog

import "slices"

// Resolve finds the relation that PostgreSQL would find for a name as written,
// with an empty schema through the search path. It finds no system relation and
// no temporary one.
func (c *Catalog) Resolve(schema, name string) (*Relation, bool) {
	if schema != "" {
		r, found := c.Relations[Name{Schema: schema, Name: name}]
		return r, found
	}
	for _, s := range c.path {
		if r, found := c.Relations[Name{Schema: s, Name: name}]; found {
			return r, true
		}
		if s == systemSchema {
			if _, system := c.SystemRelations[name]; system {
				return nil, false
			}
		}
	}
	return nil, false
}

// Named returns all relations of a name, in whatever schema, sorted by schema.
func (c *Catalog) Named(name string) []*Relation { return c.byName[name] }

// Neighbours returns the tables that foreign keys connect with r directly,
// either way, sorted by name. r itself is not among them.
func (c *Catalog) Neighbours(r *Relation) []*Relation {
	found := map[Name]bool{}
	for _, k := range r.References {
		found[k.Parent] = true
	}
	for _, k := range r.ReferencedBy {
		found[k.Child] = true
	}
	delete(found, r.Name)
	return c.sorted(found)
}

// Cascade returns the tables that a DELETE, a TRUNCATE or a change of the key
// of r may write through foreign keys, whatever their actions, over any number
// of steps, sorted by name: those that refer to r or to what it touches, and
// what these touch. r itself and what it touches are not among them.
func (c *Catalog) Cascade(r *Relation) []*Relation {
	own, found := map[Name]bool{}, map[Name]bool{}
	queue := append([]Name{r.Name}, r.Touches...)
	for _, n := range queue {
		own[n] = true
	}
	for len(queue) > 0 {
		t := c.Relations[queue[0]]
		queue = queue[1:]
		for _, k := range t.ReferencedBy {
			child := c.Relations[k.Child]
			for _, n := range append([]Name{k.Child}, child.Touches...) {
				if !own[n] && !found[n] {
					found[n] = true
					queue = append(queue, n)
				}
			}
		}
	}
	return c.sorted(found)
}

func (c *Catalog) sorted(names map[Name]bool) []*Relation {
	var relations []*Relation
	for n := range names {
		relations = append(relations, c.Relations[n])
	}
	slices.SortFunc(relations, func(a, b *Relation) int { return compareNames(a.Name, b.Name) })
	return relations
}
