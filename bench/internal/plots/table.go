package plots

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// ErrColumn says that a table lacks what is to be drawn.
var ErrColumn = errors.New("no such column, or no number in it")

// Table is the data of a figure.
type Table struct {
	Name   string // of its files, without extension
	Header []string
	Rows   [][]string
}

// Number is how a table writes one: as short as it is exact to four decimals.
func Number(v float64) string {
	text := strconv.FormatFloat(v, 'f', 4, 64)
	rounded, _ := strconv.ParseFloat(text, 64) // what was just formatted parses
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}

// CSV writes the table.
func (t *Table) CSV(w io.Writer) error {
	writer := csv.NewWriter(w)
	if err := writer.Write(t.Header); err != nil {
		return err
	}
	return writer.WriteAll(t.Rows)
}

// column is where a column is.
func (t *Table) column(name string) (int, error) {
	i := slices.Index(t.Header, name)
	if i < 0 {
		return 0, fmt.Errorf("plots: %s.csv: %w: %s", t.Name, ErrColumn, name)
	}
	return i, nil
}

// numbers are a column's values in some of the rows.
func (t *Table) numbers(name string, rows Rows) ([]float64, error) {
	i, err := t.column(name)
	if err != nil {
		return nil, err
	}
	values := make([]float64, 0, rows.Count)
	for _, row := range t.Rows[rows.First : rows.First+rows.Count] {
		v, err := strconv.ParseFloat(row[i], 64)
		if err != nil {
			return nil, fmt.Errorf("plots: %s.csv: %w: %s: %w", t.Name, ErrColumn, name, err)
		}
		values = append(values, v)
	}
	return values, nil
}

// texts are a column's cells in some of the rows.
func (t *Table) texts(name string, rows Rows) ([]string, error) {
	i, err := t.column(name)
	if err != nil {
		return nil, err
	}
	cells := make([]string, 0, rows.Count)
	for _, row := range t.Rows[rows.First : rows.First+rows.Count] {
		cells = append(cells, row[i])
	}
	return cells, nil
}
