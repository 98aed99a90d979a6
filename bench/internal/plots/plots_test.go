package plots

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// table has two groups at two places, and a value that a logarithmic axis cannot show.
func table() *Table {
	return &Table{Name: "t", Header: []string{"group", "place", "label", "rate", "low", "high", "p99"}, Rows: [][]string{
		{"a", "0", "few", "1000", "900", "1100", "1.5"},
		{"a", "1", "many, or more", "2000", "2000", "2000", "0"},
		{"b", "0", "few", "500", "500", "500", "20"},
		{"b", "1", "many, or more", "250", "200", "300", "35"},
	}}
}

func figure() Figure {
	a, b := Rows{0, 2}, Rows{2, 2}
	return Figure{Title: "It's a title", Remark: "a machine", Table: table(), Columns: 2, Panels: []Panel{
		{Title: "Rate", XLabel: "x", YLabel: "requests a second", X: "place", Places: "label", Style: Bars, Series: []Series{
			{Label: "first", Y: "rate", Low: "low", High: "high", Rows: a}, {Label: "second", Y: "rate", Low: "low", High: "high", Rows: b, Colour: 1},
		}},
		{Title: "Latency", XLabel: "x", YLabel: "latency, ms", X: "place", Places: "label", Style: Dots, Log: true, Series: []Series{
			{Label: "first", Y: "p99", Rows: a}, {Label: "second", Y: "p99", Rows: b, Colour: 1},
		}, Marks: []Mark{{X: 0.5, Label: "kill"}}},
	}}
}

func TestCSVIsReadBackAsItWas(t *testing.T) {
	var b bytes.Buffer
	if err := table().CSV(&b); err != nil {
		t.Fatal(err)
	}
	want := "group,place,label,rate,low,high,p99\na,0,few,1000,900,1100,1.5\n" + `a,1,"many, or more",2000,2000,2000,0` + "\n"
	if !strings.HasPrefix(b.String(), want) {
		t.Errorf("%s", b.String())
	}
}

func TestNumbersAreShort(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 1: "1", 1.5: "1.5", 0.123456: "0.1235", 12345678.9: "12345678.9", 1e-9: "0", 100: "100"} {
		if got := Number(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
	for v, want := range map[float64]string{0: "0", 950: "950", 1000: "1k", 142035: "142k", 1.5e6: "1.5M", 0.05: "0.05", 2e9: "2G"} {
		if got := si(v); got != want {
			t.Errorf("si %v: %s, want %s", v, got, want)
		}
	}
}

func TestColumnsThatAreNotThere(t *testing.T) {
	for _, panel := range []Panel{
		{X: "nonsense", Series: []Series{{Y: "rate", Rows: Rows{0, 1}}}},
		{X: "place", Series: []Series{{Y: "label", Rows: Rows{0, 1}}}},
		{X: "place", Series: []Series{{Y: "rate", Low: "low", High: "nonsense", Rows: Rows{0, 1}}}},
		{X: "place", Places: "nonsense", Series: []Series{{Y: "rate", Rows: Rows{0, 1}}}},
	} {
		f := Figure{Table: table(), Columns: 1, Panels: []Panel{panel}}
		if err := f.SVG(io.Discard); !errors.Is(err, ErrColumn) {
			t.Errorf("%+v: %v", panel, err)
		}
		if err := f.Gnuplot(io.Discard); !errors.Is(err, ErrColumn) {
			t.Errorf("%+v: %v", panel, err)
		}
	}
}

func TestAPanelOfNothing(t *testing.T) {
	f := Figure{Table: table(), Columns: 1, Panels: []Panel{{X: "place", Log: true, Series: []Series{{Y: "p99", Rows: Rows{1, 1}}}}}}
	if err := f.PNG(io.Discard); !errors.Is(err, ErrNothing) {
		t.Errorf("%v", err)
	}
}

func TestSVGIsWellFormedAndSaysEverything(t *testing.T) {
	f := figure()
	var b bytes.Buffer
	if err := f.SVG(&b); err != nil {
		t.Fatal(err)
	}
	var texts []string
	for decoder := xml.NewDecoder(bytes.NewReader(b.Bytes())); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if data, is := token.(xml.CharData); is {
			texts = append(texts, string(data))
		}
	}
	all := strings.Join(texts, "|")
	for _, part := range []string{"It's a title", "a machine", "Rate", "requests a second", "first", "second", "many, or more", "2k", "Latency", "latency, ms", "kill"} {
		if !strings.Contains(all, part) {
			t.Errorf("no %q in %q", part, all)
		}
	}
	if strings.Contains(b.String(), svgFont) || !strings.Contains(b.String(), "Arial") {
		t.Error("the fonts have no replacement")
	}
}

func TestPNGShowsBothColours(t *testing.T) {
	f := figure()
	var b bytes.Buffer
	if err := f.PNG(&b); err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	if counts := pixels(picture); counts[palette[0]] < 1000 || counts[palette[1]] < 1000 || counts[red] < 10 {
		t.Errorf("%d pixels of the first series, %d of the second, %d of the mark", counts[palette[0]], counts[palette[1]], counts[red])
	}
}

func pixels(picture image.Image) map[color.RGBA]int {
	counts := make(map[color.RGBA]int)
	for y := picture.Bounds().Min.Y; y < picture.Bounds().Max.Y; y++ {
		for x := picture.Bounds().Min.X; x < picture.Bounds().Max.X; x++ {
			counts[color.RGBAModel.Convert(picture.At(x, y)).(color.RGBA)]++
		}
	}
	return counts
}

func TestScriptNamesColumnsRowsAndRanges(t *testing.T) {
	f := figure()
	var b bytes.Buffer
	if err := f.Gnuplot(&b); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		"'It''s a title'", "set multiplot layout 1,2", "'t.csv' every ::2::3 using (column('place') + 0.19):(column('rate'))",
		"with boxes lc rgb '#e69f00' title 'second'", "(column('low')):(column('high')) with yerrorbars", "set xtics ('few' 0, 'many, or more' 1)",
		"(column('p99') > 0 ? column('p99') : NaN) with linespoints", "set logscale y 10", "set yrange [1:50]", "set label 'kill' at first 0.5",
	} {
		if !strings.Contains(b.String(), part) {
			t.Errorf("no %q in:\n%s", part, b.String())
		}
	}
}

func TestGnuplotDrawsWhatWasWritten(t *testing.T) {
	path, err := exec.LookPath("gnuplot")
	if err != nil {
		t.Skip("gnuplot is not installed: its scripts are not run")
	}
	f, folder := figure(), t.TempDir()
	f.Panels = append(f.Panels, Panel{XLabel: "share", YLabel: "ms", X: "low", Nines: true, Log: true, Style: Line, Series: []Series{{Y: "p99", Rows: Rows{2, 2}}}})
	if err := f.Write(folder); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, "t.gp")
	cmd.Dir = folder
	if said, err := cmd.CombinedOutput(); err != nil || len(said) > 0 {
		t.Fatalf("%v: %s", err, said)
	}
	svg, err := os.ReadFile(filepath.Join(folder, "t-gnuplot.svg"))
	if err != nil || !bytes.Contains(svg, []byte("many, or more")) || !bytes.Contains(svg, []byte("99 %")) {
		t.Errorf("%v, %d bytes", err, len(svg))
	}
}
