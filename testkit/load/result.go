package load

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Result is what is read of a load generator's JSON, CSV and percentile distribution.
type Result struct {
	RequestsOK     uint64            `json:"requests_ok"`
	RequestsFailed uint64            `json:"requests_failed"`
	PerSecond      float64           `json:"req_per_s"`
	LatencyUs      Quantiles         `json:"latency_us"`
	Errors         map[string]uint64 `json:"errors"`
	Started        time.Time         `json:"started"` // of what is measured
	DurationS      float64           `json:"duration_s"`
	Deliveries     uint64            `json:"deliveries"`
	Reconnects     uint64            `json:"reconnects"`
	CPU            CPU               `json:"cpu"`
	Legs           *Legs             `json:"legs,omitempty"` // nil: no batches
	PerOp          map[string]Op     `json:"per_op"`
	Verdict        Verdict           `json:"verdict"`
	Warnings       []string          `json:"warnings,omitempty"`

	Intervals []Interval   `json:"intervals,omitempty"`
	Latencies []Percentile `json:"latencies,omitempty"`
}

// Quantiles are those of the latencies of answered requests, in microseconds.
type Quantiles struct {
	P50  float64 `json:"p50"`
	P95  float64 `json:"p95"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
}

// CPU is what the load generator itself used.
type CPU struct {
	UsPerRequest float64 `json:"us_per_request"`
	OfCores      float64 `json:"of_cores"`
}

// Op is one kind of request.
type Op struct {
	OK        uint64    `json:"ok"`
	Failed    uint64    `json:"failed"`
	LatencyUs Quantiles `json:"latency_us"`
}

// Legs are the transfers of batches.
type Legs struct {
	OK        uint64  `json:"ok"`
	PerSecond float64 `json:"ok_per_s"`
}

// Verdict says whether the server did what it must.
type Verdict struct {
	ChatOK  bool `json:"chat_ok"`
	MoneyOK bool `json:"money_ok"`
}

// Interval is one row of the load generator's CSV.
type Interval struct {
	Second      float64   `json:"second"` // at which it begins
	OK          float64   `json:"ok"`
	Failed      float64   `json:"failed"`
	LatencyUs   Quantiles `json:"latency_us"`
	Connections float64   `json:"connections"`
}

// Percentile is one point of the distribution of latencies.
type Percentile struct {
	Quantile float64 `json:"quantile"` // 0 … 1
	Ms       float64 `json:"ms"`
	Count    float64 `json:"count"`  // of requests up to it
	OneIn    float64 `json:"one_in"` // requests, of which one takes longer
}

func (l *Load) read() (r Result, err error) {
	text, err := os.ReadFile(l.file(resultFile))
	if err != nil {
		return r, fmt.Errorf("load: %w", err)
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("load: result: %w", err)
	}
	if text, err = os.ReadFile(l.file(intervalsFile)); err != nil {
		return r, fmt.Errorf("load: %w", err)
	}
	if r.Intervals, err = intervals(string(text)); err != nil {
		return r, err
	}
	if text, err = os.ReadFile(l.file(latenciesFile)); err != nil {
		return r, fmt.Errorf("load: %w", err)
	}
	r.Latencies = percentiles(string(text))
	return r, nil
}

// intervals reads the CSV by the names of its columns.
func intervals(text string) (list []Interval, err error) {
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) == 0 {
		return nil, fmt.Errorf("load: intervals: %d rows, %w", len(rows), err)
	}
	for _, row := range rows[1:] {
		var i Interval
		for name, into := range map[string]*float64{
			"second": &i.Second, "ok": &i.OK, "failed": &i.Failed, "connections": &i.Connections,
			"p50_us": &i.LatencyUs.P50, "p95_us": &i.LatencyUs.P95, "p99_us": &i.LatencyUs.P99, "p999_us": &i.LatencyUs.P999,
			"max_us": &i.LatencyUs.Max,
		} {
			column := slices.Index(rows[0], name)
			if column < 0 {
				return nil, fmt.Errorf("load: intervals have no column %s, but %v", name, rows[0])
			}
			if *into, err = strconv.ParseFloat(row[column], 64); err != nil {
				return nil, fmt.Errorf("load: intervals: %s: %w", name, err)
			}
		}
		list = append(list, i)
	}
	return list, nil
}

// percentiles reads the lines of four numbers: value, quantile, count, 1/(1-quantile). The last, of quantile 1, is at infinity.
func percentiles(text string) (list []Percentile) {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) != 4 {
			continue
		}
		ms, err := strconv.ParseFloat(fields[0], 64)
		quantile, quantileErr := strconv.ParseFloat(fields[1], 64)
		count, countErr := strconv.ParseFloat(fields[2], 64)
		if err == nil && quantileErr == nil && countErr == nil && quantile < 1 {
			list = append(list, Percentile{Quantile: quantile, Ms: ms, Count: count, OneIn: 1 / (1 - quantile)})
		}
	}
	return list
}
