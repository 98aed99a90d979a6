package shmstore

import (
	"flag"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"tradechat.internal/ledger"
)

// A process can be killed between any two instructions. These tests run one operation
// of a child instruction by instruction, and after each that changed the segment or an
// eventfd they take a copy of what a SIGKILL would leave. On the copy the dead slot is
// repaired; then all must be whole, whoever sleeps must have been woken, and everybody
// else must be able to go on. The same is done to the master while it repairs, and while
// it revives a segment. TestAKillLeavesWhatWasCopied holds the copies against real kills.

var crashFlag = flag.String("crash", "some", "what TestKilledAtEveryInstruction covers: some or all")

// crashTally is a row of the table at the end: one path, killed after each of its instructions.
type crashTally struct {
	name         string
	instructions int
	notCommitted int // kills before the path's effect is for good
	committed    int // and after
	repaired     int // repairs that were judged: of every distinct state, by each master, for each heart
	violations   int
}

func TestKilledAtEveryInstruction(t *testing.T) {
	if raceDetector() {
		t.Skip("the race detector's own instructions and memory are stepped through too; run it without -race")
	}
	var all bool
	switch *crashFlag {
	case "some":
	case "all":
		all = true
	default:
		t.Fatalf("-crash=%s: want some or all", *crashFlag)
	}
	var tallies []*crashTally
	repaired := make(map[repairWork]bool)
	for n := range crashOperations {
		op := &crashOperations[n]
		if !all && !op.sampled {
			continue
		}
		t.Run(op.name, func(t *testing.T) {
			run := crashRun{op: op, number: n, hearts: crashHearts[:1]}
			if all {
				run.hearts = crashHearts
			}
			tallies = append(tallies, run.killOperation(t))
			victims := run.toRepair(all, repaired)
			if len(victims) > 0 {
				tallies = append(tallies, run.killRepairs(t, &repairMender, victims))
			}
			if len(victims) > 0 && all {
				tallies = append(tallies, run.killRepairs(t, &revivalMender, hardest(victims)))
			}
		})
	}
	if len(tallies) == 0 {
		t.Skip("no operation was stepped through")
	}
	t.Log(crashTable(tallies))
}

// raceDetector tells whether this binary, and so the child, is instrumented.
func raceDetector() bool {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return false
	}
	for _, setting := range info.Settings {
		if setting.Key == "-race" {
			return setting.Value == "true"
		}
	}
	return false
}

func crashTable(tallies []*crashTally) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\npath\tinstructions\tnot committed\tcommitted\trepaired\tviolations\t")
	sum := crashTally{name: "total"}
	for _, c := range tallies {
		c.write(w)
		sum.instructions += c.instructions
		sum.notCommitted += c.notCommitted
		sum.committed += c.committed
		sum.repaired += c.repaired
		sum.violations += c.violations
	}
	sum.write(w)
	w.Flush()
	return b.String()
}

func (c *crashTally) write(w *tabwriter.Writer) {
	fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t\n",
		c.name, c.instructions, c.notCommitted, c.committed, c.repaired, c.violations)
}

// crashRun is one operation, killed everywhere.
type crashRun struct {
	op      *crashOperation
	number  int // of the operation
	hearts  []crashHeart
	before  crashBefore
	victims []crashVictim
}

// crashVictim is a segment that a killed process left, from which a repair starts.
type crashVictim struct {
	work  repairWork
	image *crashImage
}

// repairWork is what a repair has to do: states that agree in it are repaired by the same
// steps, whatever the operation was.
type repairWork struct {
	lockMode   LockMode
	records    uint64      // committed since the beginning
	pending    ledger.Kind // of the newest, if it is not known to be applied
	announced  [announcements]lockRef
	held       [announcements]bool
	sessions   string // rows that are not free, and on which way they are
	readOnly   bool
	awaits     [2]bool // the dead and the watcher, a record that is to be durable
	member     bool
	connection bool // of the address table
	news       bool // published in room 1 or the mailbox, and not drained by the watcher
}

// killOperation kills slot 0 in the middle of the operation.
func (run *crashRun) killOperation(t *testing.T) *crashTally {
	scene := newCrashScene(t, run.op.lockMode)
	child := traceChild(t, scene, "crash", 0, run.number)
	defer child.end()
	child.runToStop()
	if run.op.arrange != nil {
		run.op.arrange(t, scene)
	}
	scene.settle()
	run.before = takeBefore(scene.seg)
	tally := &crashTally{name: run.op.name}
	judge := newCrashJudge(t, run, repairByMaster)
	child.eachInstruction(func(image *crashImage, where string, known bool) {
		tally.count(run.op.committed(&run.before, image.seg))
		if !known {
			run.keepVictim(image)
			tally.judge(judge, image, where)
		}
	})
	return tally
}

func (c *crashTally) judge(j *crashJudge, image *crashImage, where string) {
	c.repaired += len(j.run.hearts)
	c.violations += j.report(image, where)
}

func (c *crashTally) count(committed bool) {
	c.instructions++
	if committed {
		c.committed++
	} else {
		c.notCommitted++
	}
}

// keepVictim remembers the first image of every kind of repair.
func (run *crashRun) keepVictim(image *crashImage) {
	work := run.workLeft(image.seg)
	for _, v := range run.victims {
		if v.work == work {
			return
		}
	}
	run.victims = append(run.victims, crashVictim{work, image.clone()})
}

func (run *crashRun) workLeft(seg *Segment) repairWork {
	slot := &seg.slots[0]
	work := repairWork{
		lockMode:  run.op.lockMode,
		records:   seg.Head() - run.before.head,
		announced: slot.announced,
		member:    seg.isMember(1, run.before.session.Row),

		connection: connectionsCounted(seg) != 0,
		news:       watcherLeft(seg) != (watcherNews{}),
	}
	if slot.pendingSeq != 0 && slot.pendingSeq == seg.Head() {
		work.pending = seg.recordSlot(slot.pendingSeq).Kind
	}
	for place, ref := range slot.announced {
		if word := seg.lockWord(ref); word != nil {
			work.held[place] = ownerSlot(*word) == 0
		}
	}
	var rows strings.Builder
	for r := range seg.sessions {
		if word := seg.sessions[r].owner.Load(); word != 0 {
			fmt.Fprintf(&rows, "%d:%x ", r, word)
		}
	}
	work.sessions = rows.String()
	work.readOnly = seg.ReadOnly()
	work.awaits = [2]bool{seg.slots[0].awaits.Load() != 0, seg.slots[1].awaits.Load() != 0}
	return work
}

// toRepair chooses the victims whose repair is killed too: of each kind of work the
// first, or only the transfer that is committed, not applied, and has both accounts locked.
func (run *crashRun) toRepair(all bool, known map[repairWork]bool) (chosen []crashVictim) {
	for _, v := range run.victims {
		typical := v.work.pending == ledger.KindTransfer && v.work.announced[placeLog] == lockNone
		if !known[v.work] && (all || typical && len(known) == 0) {
			known[v.work] = true
			chosen = append(chosen, v)
		}
	}
	return chosen
}

// mender is a way of the master to make a segment whole, and what must come of it when it is killed on that way.
type mender struct {
	role  string
	name  string    // in the table, before the operation's
	again []mending // who goes on after it was killed
	done  func(seg *Segment) bool
}

var (
	repairMender = mender{
		role: "crash-repair", name: "repair", again: []mending{repairByWatcher, reviveAll},
		done: func(seg *Segment) bool { return SlotState(seg.slots[0].state.Load()) == SlotFree },
	}

	// Before it touches the segment a revival takes memory, which is most of its instructions: 37,000.
	revivalMender = mender{
		role: "crash-revive", name: "revival", again: []mending{reviveAll},
		done: func(seg *Segment) bool {
			return SlotState(seg.slots[0].state.Load()) == SlotFree && SlotState(seg.slots[1].state.Load()) == SlotFree
		},
	}
)

// hardest is the victim that has left most to do. The steps of a revival are those of a repair, slot by slot.
func hardest(victims []crashVictim) []crashVictim {
	return []crashVictim{slices.MaxFunc(victims, func(a, b crashVictim) int { return a.work.size() - b.work.size() })}
}

func (w *repairWork) size() (n int) {
	if w.pending != 0 {
		n++
	}
	for _, held := range w.held {
		if held {
			n++
		}
	}
	return n
}

// killRepairs kills the master in the middle of making each victim's segment whole.
func (run *crashRun) killRepairs(t *testing.T, m *mender, victims []crashVictim) *crashTally {
	tally := &crashTally{name: m.name + " after " + run.op.name}
	for i, v := range victims {
		t.Run(fmt.Sprintf("%s %d", m.name, i), func(t *testing.T) { run.killRepair(t, m, v, tally) })
	}
	return tally
}

func (run *crashRun) killRepair(t *testing.T, m *mender, v crashVictim, tally *crashTally) {
	scene := newCrashScene(t, run.op.lockMode)
	scene.settle()
	copy(scene.seg.mem, v.image.seg.mem)
	if v.image.woken {
		scene.wake(1)
	}
	child := traceChild(t, scene, m.role, 2, 0)
	defer child.end()
	child.runToStop()
	var judges []*crashJudge
	for _, again := range m.again {
		judges = append(judges, newCrashJudge(t, run, again))
	}
	child.eachInstruction(func(image *crashImage, where string, known bool) {
		tally.count(m.done(image.seg))
		for _, judge := range judges {
			if !known {
				tally.judge(judge, image, where)
			}
		}
	})
}
