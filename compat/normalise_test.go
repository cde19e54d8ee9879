package compat

import (
	"fmt"
	"strings"
	"time"
)

// normaliser takes out of a trace what differs between any two runs, on lib/pq as
// well, and only that:
//
//   - now(): the server's clock. It must lie within the run.
//   - keys from sequences: PostgreSQL promises that they are new, not that there are no
//     gaps. They are numbered in the order in which the program sees them. They must be
//     positive, and later ones greater; but for rows that the program never saw and
//     that only the tables show.
//   - "Failing row contains (…)", which repeats both, and the text of the statement
//     beside an error, into which bun writes keys.
type normaliser struct {
	began  time.Time
	ids    map[string]map[int64]int // table, key -> number
	tables bool                     // what is shown are the tables at the end
	wrong  []string                 // what was not plausible
}

// keyTables says which table the keys in a field or column are of.
var keyTables = map[string]string{
	"Customer.ID": "customers", "CustomerID": "customers", "customers.id": "customers", "orders.customer_id": "customers",
	"Product.ID": "products", "ProductID": "products", "products.id": "products", "order_lines.product_id": "products",
	"Order.ID": "orders", "OrderID": "orders", "orders.id": "orders", "order_lines.order_id": "orders",
	"OrderLine.ID": "order_lines", "order_lines.id": "order_lines",
}

func (n *normaliser) id(table string, id int64) string {
	switch {
	case id == 0:
		return "none"
	case id >= absent:
		return fmt.Sprint(id)
	}
	seen := n.ids[table]
	if seen == nil {
		seen = map[int64]int{}
		n.ids[table] = seen
	}
	if seen[id] == 0 {
		seen[id] = len(seen) + 1
		for other, number := range seen {
			if id < 0 || !n.tables && number < seen[id] && other > id {
				n.wrong = append(n.wrong, fmt.Sprintf("%s: key %d was given after %d", table, id, other))
			}
		}
	}
	return fmt.Sprintf("%s#%d", table, seen[id])
}

// absent is a key that the program makes up, and every greater one.
const absent = 1 << 40

// time shows a time with its location; the program's own clock is years away from
// the server's.
func (n *normaliser) time(t time.Time) string {
	if t.Year() < 2025 {
		return fmt.Sprintf("time.Time(%s %s)", t.Format(time.RFC3339Nano), t.Location())
	}
	if t.Before(n.began.Add(-time.Second)) || t.After(time.Now().Add(time.Second)) {
		n.wrong = append(n.wrong, fmt.Sprintf("now() was %s in a run that began at %s", t, n.began))
	}
	return fmt.Sprintf("time.Time(now, %s)", t.Location())
}

func (*normaliser) detail(text string) string {
	if strings.HasPrefix(text, "Failing row contains ") {
		return "Failing row contains …"
	}
	return text
}

// refusal leaves the text of the statement out of an error that is shown with all fields.
func (*normaliser) refusal(text string) string {
	text, _, _ = strings.Cut(text, " query:")
	return text
}
