package client

import (
	"fmt"
	"iter"
)

// order is how the keys of a list's rows follow each other.
type order bool

const (
	ascending  order = false
	descending order = true
)

func (o order) follows(key, before uint64) bool {
	if o == descending {
		return before == 0 || key < before
	}
	return key > before
}

// pages goes through a list that the server gives a page at a time. fetch gets the key after which the page begins, 0 for
// the first one; an empty page is the last. Keys that do not go on in their order end it: else it might never end.
func pages[T any](fetch func(after uint64) ([]T, error), key func(T) uint64, o order) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		for after := uint64(0); ; {
			page, err := fetch(after)
			if err != nil {
				yield(none, err)
				return
			}
			for _, row := range page {
				if !o.follows(key(row), after) {
					yield(none, fmt.Errorf("%w: list row %d after %d", ErrProtocol, key(row), after))
					return
				}
				after = key(row)
				if !yield(row, nil) {
					return
				}
			}
			if len(page) == 0 {
				return
			}
		}
	}
}
