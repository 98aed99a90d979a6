package journal

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"tradechat.internal/ledger"
)

var (
	benchRecords  = flag.Int("bench-records", 1_000_000, "records of the journal that BenchmarkRecover reads")
	benchAccounts = flag.Int("bench-accounts", 50_000, "accounts that the records of the benchmarks are about")
)

// bank is a history of transfers among many accounts.
type bank struct {
	*history
	random *rand.Rand
	users  int
}

// openBank makes the accounts, and returns the records that make them and give each some money.
func openBank(users int) (b *bank, records []ledger.Record) {
	b = &bank{history: newHistory(), random: rand.New(rand.NewPCG(1, 2)), users: users}
	for user := range users {
		records = append(records, b.user(fmt.Sprintf("user-%d", user)))
	}
	for user := range users {
		records = append(records, b.deposit(uint32(user+1), 1_000_000))
	}
	return b, records
}

// transfers fills group with transfers between random accounts.
func (b *bank) transfers(group []ledger.Record) {
	for i := range group {
		from := 1 + b.random.IntN(b.users)
		to := 1 + (from+b.random.IntN(b.users-1))%b.users
		group[i] = b.transfer(uint32(from), uint32(to), 1)
	}
}

func appendAll(b testing.TB, w *Writer, records []ledger.Record) {
	b.Helper()
	for len(records) > 0 {
		n := min(BlockRecordsMax, len(records))
		must(b, w.Append(records[:n]))
		records = records[n:]
	}
}

// BenchmarkAppend is the log writer alone: fold, hash, write, in groups of some sizes, without syncs.
func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{16, 256, 4096} {
		b.Run(fmt.Sprintf("group=%d", size), func(b *testing.B) {
			bank, records := openBank(*benchAccounts)
			w := openWriter(b, filepath.Join(b.TempDir(), "journal"), WriterOptions{FileBytes: FileBytesDefault})
			appendAll(b, w, records)
			// What is appended must fit: it is made beforehand, some at a time, outside of the measured time.
			batch := make([]ledger.Record, 1<<16)
			b.ReportAllocs()
			b.ResetTimer()
			for done := 0; done < b.N; {
				b.StopTimer()
				bank.transfers(batch)
				b.StartTimer()
				for at := 0; at < len(batch) && done < b.N; at += size {
					n := min(size, b.N-done)
					must(b, w.Append(batch[at:at+n]))
					done += n
				}
			}
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrecords/s")
			crash(w)
		})
	}
}

// BenchmarkFoldApply is one transfer added to a fold.
func BenchmarkFoldApply(b *testing.B) {
	bank, records := openBank(*benchAccounts)
	fold := ledger.NewFold()
	for i := range records {
		must(b, fold.Apply(&records[i]))
	}
	batch := make([]ledger.Record, 1<<16)
	b.ReportAllocs()
	b.ResetTimer()
	for done := 0; done < b.N; {
		b.StopTimer()
		bank.transfers(batch)
		b.StartTimer()
		for i := 0; i < len(batch) && done < b.N; i++ {
			must(b, fold.Apply(&batch[i]))
			done++
		}
	}
}

// BenchmarkRecover is a cold start: -bench-records and -bench-accounts say of what, the groups are those of a server at work and the
// largest.
func BenchmarkRecover(b *testing.B) {
	for _, size := range []int{24, BlockRecordsMax} {
		b.Run(fmt.Sprintf("group=%d", size), func(b *testing.B) { benchmarkRecover(b, size) })
	}
}

func benchmarkRecover(b *testing.B, size int) {
	dir := filepath.Join(b.TempDir(), "journal")
	bank, records := openBank(*benchAccounts)
	w := openWriter(b, dir, WriterOptions{FileBytes: FileBytesDefault})
	appendAll(b, w, records)
	group := make([]ledger.Record, size)
	for left := *benchRecords - len(records); left > 0; left -= len(group) {
		group = group[:min(len(group), left)]
		bank.transfers(group)
		appendAll(b, w, group)
	}
	must(b, w.Close())
	b.ResetTimer()
	for range b.N {
		began := time.Now()
		got, err := Recover(dir, RecoverOptions{TailRecords: 1 << 17})
		must(b, err)
		if d := bank.fold.Differs(got.Fold); d != "" {
			b.Fatal(d)
		}
		b.ReportMetric(float64(got.Replayed)/time.Since(began).Seconds()/1e6, "Mrecords/s")
	}
}
