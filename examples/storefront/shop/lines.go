package shop

import "fmt"

// join returns the orders with their lines, and in words the lines that have no
// order or cannot be its own.
func join(found Contents) (orders []Order, wrong []string) {
	lines := make(map[string]*[MaxLines]Line)
	for _, l := range found.Lines {
		if l.Number < 1 || l.Number > MaxLines {
			wrong = append(wrong, fmt.Sprintf("order %s has a line %d", l.Order, l.Number))
			continue
		}
		of := lines[l.Order]
		if of == nil {
			of = new([MaxLines]Line)
			lines[l.Order] = of
		}
		if of[l.Number-1] != (Line{}) {
			wrong = append(wrong, fmt.Sprintf("order %s has line %d twice", l.Order, l.Number))
		}
		of[l.Number-1] = l.Line
	}
	for _, o := range found.Orders {
		if of := lines[o.ID]; of != nil {
			o.Lines = *of
		}
		orders = append(orders, o)
	}
	for _, o := range found.Orders {
		delete(lines, o.ID)
	}
	for id := range lines {
		wrong = append(wrong, fmt.Sprintf("there are lines of order %s, and no order", id))
	}
	return orders, wrong
}

// taken is what lines have taken from stock, by product.
func taken(lines []OrderLine) map[int64]int64 {
	pieces := make(map[int64]int64)
	for _, l := range lines {
		pieces[l.Line.Product] += l.Line.Qty
		pieces[l.Line.Accessory] += l.Line.Qty
	}
	return pieces
}

// verifySums compares what orders say of their lines with these.
func verifySums(orders []Order) (wrong []string) {
	for _, o := range orders {
		var count, qty, price int64
		for _, l := range o.Lines {
			if l != (Line{}) {
				count, qty, price = count+1, qty+l.Qty, price+l.Qty*l.Price
			}
		}
		switch {
		case count != o.Count:
			wrong = append(wrong, fmt.Sprintf("order %s is of %d lines, and %d are there", o.ID, o.Count, count))
		case count > 0 && (qty != o.Qty || price != o.Price):
			wrong = append(wrong, fmt.Sprintf("order %s is of %d pieces for %d, its lines are of %d for %d", o.ID, o.Qty, o.Price, qty, price))
		}
	}
	return wrong
}
