package realtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"tradechat.internal/bench/internal/plots"
)

// figures are all that is drawn of a test.
func (r *Result) figures(t Test) []plots.Figure {
	table := r.mainTable()
	list := []plots.Figure{{Title: r.Title, Caption: t.Caption, Table: table, Columns: t.Columns, Panels: t.Panels(table)}}
	if t.Timeline {
		table := r.timelineTable()
		list = append(list, plots.Figure{
			Title: r.Title + ": over the time", Caption: "The first round, interval by interval.", Table: table, Columns: 1,
			Panels: timelinePanels(table, r.marks()),
		})
	}
	table = r.percentileTable()
	list = append(list, plots.Figure{
		Title: r.Title + ": distribution of latencies", Caption: "All rounds together. Further right are the slower ones: at 99 %, one of a hundred took longer.",
		Table: table, Columns: 1, Panels: []plots.Panel{percentilePanel(table)},
	})
	for i := range list {
		list[i].Remark = r.Environment.String()
	}
	return list
}

// mainTable compares cases, or of an only case the kinds of requests.
func (r *Result) mainTable() *plots.Table {
	if len(r.Cases) == 1 {
		return r.opTable()
	}
	return r.caseTable()
}

// marks are the kill and the successor's start.
func (r *Result) marks() (marks []plots.Mark) {
	for _, c := range r.Cases {
		if k := c.Runs[0].Kill; k != nil {
			marks = append(marks, plots.Mark{X: k.AtS, Label: fmt.Sprintf("kill -9: replaced after %.0f ms", (k.ReplacedS-k.AtS)*1000)})
		}
	}
	return marks
}

// write puts JSON, tables, pictures and scripts into a folder.
func (r *Result) write(t Test, folder string) error {
	var failures error
	for _, f := range r.figures(t) {
		r.Figures = append(r.Figures, Drawing{Name: f.Table.Name, Title: f.Title, Caption: f.Caption})
		failures = errors.Join(failures, f.Write(folder))
	}
	file, err := os.Create(filepath.Join(folder, r.Name+".json"))
	if err != nil {
		return errors.Join(failures, err)
	}
	encoder := json.NewEncoder(file)
	encoder.SetIndent("", " ")
	encoder.SetEscapeHTML(false)
	return errors.Join(failures, encoder.Encode(r), file.Close())
}
