module github.com/writebehind/writebehind

go 1.25.0

require (
	github.com/DATA-DOG/go-sqlmock v1.5.2 // indirect
	github.com/allegro/bigcache/v3 v3.1.0 // indirect
	github.com/davecgh/go-spew v1.1.1 // indirect
	github.com/lib/pq v1.12.3 // indirect
	github.com/pmezard/go-difflib v1.0.0 // indirect
	github.com/stretchr/testify v1.11.1 // indirect
	gopkg.in/yaml.v3 v3.0.1 // indirect
	pgregory.net/rapid v1.3.0 // indirect
)
