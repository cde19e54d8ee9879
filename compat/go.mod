module github.com/writebehind/writebehind/compat

go 1.25.0

require (
	github.com/lib/pq v1.12.3
	github.com/stretchr/testify v1.11.1
	github.com/writebehind/writebehind v0.0.0
)

require (
	github.com/allegro/bigcache/v3 v3.1.0 // indirect
	github.com/davecgh/go-spew v1.1.1 // indirect
	github.com/pmezard/go-difflib v1.0.0 // indirect
	gopkg.in/yaml.v3 v3.0.1 // indirect
)

replace github.com/writebehind/writebehind => ../
