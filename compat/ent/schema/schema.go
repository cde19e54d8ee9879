// Package schema is the shop's schema, for ent.
package schema

import (
	"time"

	"entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
)

// Customer is a customer.
type Customer struct{ ent.Schema }

// Fields of a customer.
func (Customer) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("id"),
		field.String("email").MaxLen(100),
		field.String("name"),
		field.Int("credit").Default(0),
		field.Int("version").Default(1),
		field.Time("joined_at").Default(time.Now),
		field.Time("created_at"),
		field.Time("updated_at"),
		field.Time("deleted_at").Optional().Nillable(),
	}
}

// Edges of a customer.
func (Customer) Edges() []ent.Edge { return []ent.Edge{edge.To("orders", Order.Type)} }

// Product is what is sold.
type Product struct{ ent.Schema }

// Fields of a product.
func (Product) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("id"),
		field.String("sku").Unique(),
		field.String("name"),
		field.String("price").SchemaType(map[string]string{dialect.Postgres: "numeric(10,2)"}),
		field.Int("stock").Default(0),
		field.Time("updated_at"),
	}
}

// Order is an order.
type Order struct{ ent.Schema }

// Fields of an order.
func (Order) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("id"),
		field.Int64("customer_id"),
		field.String("status").Default("new"),
		field.String("note").Optional().Nillable(),
		field.Time("created_at"),
		field.Time("updated_at"),
	}
}

// Edges of an order.
func (Order) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("customer", Customer.Type).Ref("orders").Field("customer_id").Unique().Required(),
		edge.To("lines", OrderLine.Type),
	}
}

// OrderLine is a line of an order.
type OrderLine struct{ ent.Schema }

// Fields of a line.
func (OrderLine) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("id"),
		field.Int64("order_id"),
		field.Int64("product_id"),
		field.Int("quantity"),
		field.String("price").SchemaType(map[string]string{dialect.Postgres: "numeric(10,2)"}),
	}
}

// Edges of a line.
func (OrderLine) Edges() []ent.Edge {
	return []ent.Edge{edge.From("order", Order.Type).Ref("lines").Field("order_id").Unique().Required()}
}
