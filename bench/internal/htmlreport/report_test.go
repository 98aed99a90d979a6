package htmlreport

import (
	"context"
	"encoding/json"
	"errors"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"tradechat.internal/bench/internal/plots"
	"tradechat.internal/bench/internal/realtest"
	"tradechat.internal/testkit/figure"
	"tradechat.internal/testkit/load"
	"tradechat.internal/testkit/sample"
)

// browserMax bounds one run of a browser.
const browserMax = 30 * time.Second

// barsOfOne is about how many pixels of the page the bars of one picture have.
const barsOfOne = 130_000

// sampling is how many rows and columns one is looked at of.
const sampling = 4

// results writes two tests' results into a folder of its own, with a picture each.
func results(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	for i, name := range []string{"mixed", "locks"} {
		table := &plots.Table{Name: name, Header: []string{"x", "y"}, Rows: [][]string{{"0", "5"}, {"1", "9"}}}
		drawn := plots.Figure{Title: "Picture of " + name, Table: table, Columns: 1, Panels: []plots.Panel{{
			XLabel: "x", YLabel: "y", X: "x", Places: "x", Series: []plots.Series{{Label: "y", Y: "y", Rows: plots.Rows{Count: 2}}},
		}}}
		svg, err := os.Create(filepath.Join(folder, name+".svg"))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(drawn.SVG(svg), svg.Close()); err != nil {
			t.Fatal(err)
		}
		r := realtest.Result{
			Name: name, Title: "Title of <" + name + ">", What: "What & why.", Rounds: 2, RunS: 5, WarmUpS: 1, Quick: i == 1,
			Environment: figure.Environment{Machine: "A Processor", Cores: 2, Kernel: "Linux 6", Commit: "0123456789abcdef"},
			Findings:    []string{"Found in " + name},
			Figures:     []realtest.Drawing{{Name: name, Title: "Picture of " + name, Caption: "Caption of " + name + "."}},
			Cases: []realtest.CaseResult{{
				Label: "only | case", PerSecond: sample.Spread{Median: 12_345, Min: 12_000, Max: 13_000, Count: 2},
				LatencyUs:   load.Quantiles{P50: 870, P99: 4200},
				ServerFlags: []string{"--workers", "4"}, LoadFlags: []string{"--mix", "mixed"},
			}},
		}
		encoded, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name+".json"), encoded, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := Write(folder); err != nil {
		t.Fatal(err)
	}
	return folder
}

func read(t *testing.T, folder, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// elsewhere matches whatever would make a browser look for something outside of the page.
var elsewhere = regexp.MustCompile(`(?i)<script|<link|<img|<iframe|@import|\bsrc\s*=|url\(|href="[^#]`)

func TestThePageNeedsNothingElse(t *testing.T) {
	page := read(t, results(t), PageName)
	if found := elsewhere.FindString(page); found != "" {
		t.Errorf("the page has %s", found)
	}
	for _, bad := range []string{`<img src="x.png">`, `<a href="https://x">`, `@import "x"`, `<link rel=x>`, `background: url(x)`} {
		if !elsewhere.MatchString(bad) {
			t.Errorf("%s would not be found", bad)
		}
	}
	if strings.Count(page, "<svg") != 2 || strings.Contains(page, "<?xml") {
		t.Errorf("%d SVGs, or what stands before them", strings.Count(page, "<svg"))
	}
}

func TestThePageSaysEverything(t *testing.T) {
	page := read(t, results(t), PageName)
	for _, part := range []string{
		"A Processor, 2 cores, Linux 6", "commit 0123456789ab", "Title of &lt;locks&gt;", "What &amp; why.",
		"12,345 (12,000 … 13,000)", "870 µs", "4.20 ms",
		"Found in mixed", "Caption of locks.", "Picture of mixed", "2 rounds of each in turns, 5 s each",
		"the numbers mean nothing",
		"tradechatd --workers 4; tradechat-loadgen --mix mixed", `<a href="#locks">`, `<section id="locks">`,
	} {
		if !strings.Contains(page, part) {
			t.Errorf("no %q", part)
		}
	}
	if strings.Count(page, "A Processor, 2 cores") != 1 {
		t.Error("the machine is not told once")
	}
}

func TestTheMarkdownHasTablesAndPictures(t *testing.T) {
	text := read(t, results(t), TableName)
	for _, part := range []string{
		"# Real Test\n", "\nA Processor, 2 cores, Linux 6", "## Title of <mixed>\n", "| case | requests/s | p50 |", "|---|--:|--:|",
		`| only \| case | 12,345 (12,000 … 13,000) | 870 µs |`, "- Found in locks\n", "![Picture of locks](locks.svg)",
	} {
		if !strings.Contains(text, part) {
			t.Errorf("no %q in:\n%s", part, text)
		}
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	if err := Write(t.TempDir()); err == nil || !strings.Contains(err.Error(), "no results") {
		t.Errorf("%v", err)
	}
	folder := results(t)
	if err := os.Remove(filepath.Join(folder, "locks.svg")); err != nil {
		t.Fatal(err)
	}
	if err := Write(folder); err == nil || !strings.Contains(err.Error(), "locks.svg") {
		t.Errorf("%v", err)
	}
}

// A real browser draws the page: the bars of both pictures are there, in the colour that they have.
func TestABrowserShowsThePage(t *testing.T) {
	browser := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			browser = path
			break
		}
	}
	if browser == "" {
		t.Skip("no Chromium is installed: the page is not looked at")
	}
	folder := results(t)
	shot := filepath.Join(t.TempDir(), "page.png")
	ctx, cancel := context.WithTimeout(t.Context(), browserMax)
	defer cancel()
	cmd := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
		"--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--user-data-dir="+t.TempDir(), "--window-size=1000,2600",
		"--screenshot="+shot,
		"file://"+filepath.Join(folder, PageName))
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	file, err := os.Open(shot)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	picture, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	blue, bars := color.RGBA{0x00, 0x72, 0xB2, 0xff}, 0 // the first colour of the plots
	for y := 0; y < picture.Bounds().Dy(); y += sampling {
		for x := 0; x < picture.Bounds().Dx(); x += sampling {
			if color.RGBAModel.Convert(picture.At(x, y)) == blue {
				bars += sampling * sampling
			}
		}
	}
	if bars < barsOfOne*3/2 {
		t.Errorf("%d pixels of bars, want two pictures of about %d", bars, barsOfOne)
	}
}
