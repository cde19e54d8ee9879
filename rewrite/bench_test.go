package rewrite

import "testing"

var benchmarkTexts = map[string]string{
	"update": "UPDATE users SET name = $1, login_count = login_count + 1 WHERE id = $2 AND deleted_at IS NULL",
	"upsert": `INSERT INTO "app_settings" ("key","value","hits") VALUES ($1,$2,$3) ON CONFLICT ("key") DO UPDATE SET "value"="excluded"."value"`,
	"select": `SELECT * FROM "users" WHERE "users"."id" = $1 AND "users"."deleted_at" IS NULL ORDER BY "users"."id" LIMIT $2`,
	"other":  "SELECT u.id, o.total FROM users u JOIN orders o ON o.user_id = u.id WHERE u.id = $1 AND o.total > 10",
}

func BenchmarkLex(b *testing.B) {
	for name, sql := range benchmarkTexts {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = lex(sql)
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	for name, sql := range benchmarkTexts {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = Parse(sql)
			}
		})
	}
}
