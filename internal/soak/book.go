package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/writebehind/writebehind/examples/storefront/shop"
)

// book has the acknowledged orders in a file: in memory they would be the only
// thing that grows when nothing else does. It is safe for concurrent use.
type book struct {
	mu     sync.Mutex
	file   *os.File
	writer *bufio.Writer
	lines  *json.Encoder
}

func newBook(directory string) (*book, error) {
	file, err := os.Create(filepath.Join(directory, "orders"))
	if err != nil {
		return nil, err
	}
	writer := bufio.NewWriter(file)
	return &book{file: file, writer: writer, lines: json.NewEncoder(writer)}, nil
}

func (b *book) add(orders []shop.Order) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, o := range orders {
		if err := b.lines.Encode(o); err != nil {
			return err
		}
	}
	return nil
}

// all returns the orders.
func (b *book) all() ([]shop.Order, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.writer.Flush(); err != nil {
		return nil, err
	}
	if _, err := b.file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	var orders []shop.Order
	for lines := json.NewDecoder(bufio.NewReader(b.file)); ; {
		var o shop.Order
		err := lines.Decode(&o)
		if errors.Is(err, io.EOF) {
			return orders, nil
		}
		if err != nil {
			return nil, err
		}
		orders = append(orders, o)
	}
}

func (b *book) close() error { return b.file.Close() }
