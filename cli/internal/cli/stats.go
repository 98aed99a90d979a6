package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"tradechat.internal/client"
)

// stats is the server's JSON, of whatever keys: it is shown by its shape, in its order.
type stats struct {
	raw  json.RawMessage
	root object
}

// object is a JSON object in the order of its text; a value is an object, a []any, or a scalar.
type object []member

type member struct {
	key   string
	value any
}

func (o object) get(key string) (value any) {
	for _, m := range o {
		if m.key == key {
			return m.value
		}
	}
	return nil
}

func parseStats(raw []byte) (stats, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	value, err := decodeValue(d)
	if err != nil {
		return stats{}, fmt.Errorf("%w: the statistics are not JSON: %w: %.60q", client.ErrProtocol, err, raw)
	}
	root, ok := value.(object)
	if !ok {
		return stats{}, fmt.Errorf("%w: the statistics are not a JSON object: %.60q", client.ErrProtocol, raw)
	}
	return stats{raw: raw, root: root}, nil
}

func (s stats) MarshalJSON() ([]byte, error) { return s.raw, nil }

func decodeValue(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return decodeObject(d)
	case json.Delim('['):
		return decodeArray(d)
	}
	return token, nil
}

func decodeObject(d *json.Decoder) (o object, err error) {
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		value, err := decodeValue(d)
		if err != nil {
			return nil, err
		}
		o = append(o, member{key.(string), value}) // the decoder lets nothing else be a key
	}
	_, err = d.Token()
	return o, err
}

func decodeArray(d *json.Decoder) (list []any, err error) {
	for d.More() {
		value, err := decodeValue(d)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	_, err = d.Token()
	return list, err
}

// writeText writes the scalars first, then a section for everything that has parts.
func (s stats) writeText(w io.Writer) {
	top := table{columns: make([]column, 2)}
	for _, m := range s.root {
		if !hasParts(m.value) {
			top.add(printable(m.key), cell(m.value))
		}
	}
	top.write(w, "")
	for _, m := range s.root {
		if hasParts(m.value) {
			fmt.Fprintf(w, "\n%s\n", printable(m.key))
			writeSection(w, m.value)
		}
	}
}

func hasParts(value any) bool {
	switch v := value.(type) {
	case object:
		return len(v) > 0
	case []any:
		return len(v) > 0
	}
	return false
}

const sectionIndent = "  "

func writeSection(w io.Writer, value any) {
	if rows, ok := rowsOf(value); ok {
		t := matrix(rows)
		t.write(w, sectionIndent)
		return
	}
	if list, ok := value.([]any); ok {
		for _, element := range list {
			fmt.Fprintln(w, sectionIndent+cell(element))
		}
		return
	}
	t, zeros := pairs(listed(value))
	t.write(w, sectionIndent)
	if zeros > 0 {
		fmt.Fprintf(w, "%s(%d more at 0)\n", sectionIndent, zeros)
	}
}

// pairs is a table of keys and values; in a long one the zeros are only counted.
func pairs(members object) (t table, zeros int) {
	numbers := true
	for _, m := range members {
		if len(members) > zeroRowsShown && cell(m.value) == "0" {
			zeros++
			continue
		}
		_, number := m.value.(json.Number)
		numbers = numbers && number
		t.add(printable(m.key), cell(m.value))
	}
	t.columns = []column{{}, {right: numbers}}
	return t, zeros
}

// listed gives the members of an object, or the elements of an array under empty keys.
func listed(value any) object {
	if o, ok := value.(object); ok {
		return o
	}
	var o object
	for _, element := range value.([]any) {
		o = append(o, member{"", element})
	}
	return o
}

// rowsOf reports whether every element of value is an object, and returns them.
func rowsOf(value any) (rows object, ok bool) {
	rows = listed(value)
	for _, m := range rows {
		if _, isObject := m.value.(object); !isObject {
			return nil, false
		}
	}
	return rows, true
}

// matrix is a table with a row for each object and a column for each key that any of them has. The rows' own keys, if
// they have any, stand in front.
func matrix(rows object) (t table) {
	keyed := rows[0].key != ""
	if keyed {
		t.columns = append(t.columns, column{})
	}
	keys := keysOf(rows)
	for _, key := range keys {
		t.columns = append(t.columns, column{title: printable(strings.ToUpper(key)), right: !holdsText(rows, key)})
	}
	for _, row := range rows {
		var cells []string
		if keyed {
			cells = append(cells, printable(row.key))
		}
		for _, key := range keys {
			cells = append(cells, cell(row.value.(object).get(key)))
		}
		t.add(cells...)
	}
	return t
}

// keysOf is every key of the objects, in the order of their first appearance.
func keysOf(rows object) (keys []string) {
	seen := map[string]bool{}
	for _, row := range rows {
		for _, m := range row.value.(object) {
			if !seen[m.key] {
				seen[m.key] = true
				keys = append(keys, m.key)
			}
		}
	}
	return keys
}

func holdsText(rows object, key string) bool {
	for _, row := range rows {
		if _, text := row.value.(object).get(key).(string); text {
			return true
		}
	}
	return false
}

// cell writes a value in one line; what is nested deeper than a table can show is compact JSON.
func cell(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return printable(v)
	case json.Number:
		return v.String()
	case object:
		parts := make([]string, len(v))
		for i, m := range v {
			parts[i] = m.key + "=" + cell(m.value)
		}
		return printable("{" + strings.Join(parts, " ") + "}")
	case []any:
		parts := make([]string, len(v))
		for i, element := range v {
			parts[i] = cell(element)
		}
		return printable("[" + strings.Join(parts, " ") + "]")
	}
	return fmt.Sprint(value)
}
