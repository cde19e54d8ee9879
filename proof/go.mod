module github.com/writebehind/writebehind/proof

go 1.25.0

replace github.com/writebehind/writebehind => ../

require (
	github.com/anishathalye/porcupine v1.3.1
	github.com/lib/pq v1.12.3
	github.com/pganalyze/pg_query_go/v6 v6.2.5
	github.com/stretchr/testify v1.11.1
	github.com/writebehind/writebehind v0.0.0
	golang.org/x/sync v0.22.0
	google.golang.org/protobuf v1.33.0
)

require (
	github.com/allegro/bigcache/v3 v3.1.0 // indirect
	github.com/davecgh/go-spew v1.1.1 // indirect
	github.com/pmezard/go-difflib v1.0.0 // indirect
	gopkg.in/yaml.v3 v3.0.1 // indirect
)
