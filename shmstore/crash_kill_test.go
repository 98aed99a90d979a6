package shmstore

import (
	"bytes"
	"testing"
)

// TestAKillLeavesWhatWasCopied holds the copies of TestKilledAtEveryInstruction against the real thing: a process is stepped to
// one of its states, killed with SIGKILL and reaped; then the segment is the copy of that state, and what is judged is the segment.
func TestAKillLeavesWhatWasCopied(t *testing.T) {
	if raceDetector() {
		t.Skip("the race detector's own instructions and memory are stepped through too; run it without -race")
	}
	every, paths := 12, []string{"transfer"}
	if *crashFlag == "all" {
		every, paths = 1, []string{"transfer", "create user", "send", "resume", "publish durable"}
	}
	for n := range crashOperations {
		op := &crashOperations[n]
		for _, path := range paths {
			if op.name != path {
				continue
			}
			t.Run(op.name, func(t *testing.T) {
				kills := 0
				for state := 1; killAt(t, op, n, state); state += every {
					kills++
				}
				t.Logf("%s: %d processes killed", op.name, kills)
			})
		}
	}
}

// killAt kills a process in the state that is the nth of its operation; false if it has fewer.
func killAt(t *testing.T, op *crashOperation, n, state int) bool {
	scene := newCrashScene(t, op.lockMode)
	run := crashRun{op: op, number: n, hearts: crashHearts}
	child := traceChild(t, scene, "crash", 0, n)
	defer child.end()
	child.runToStop()
	if op.arrange != nil {
		op.arrange(t, scene)
	}
	scene.settle()
	run.before = takeBefore(scene.seg)
	for child.changed(); len(child.seen) < state; child.changed() {
		if !child.step() {
			return false
		}
	}
	where := child.source()
	child.kill()
	left := &crashImage{seg: scene.seg, woken: scene.woken(1)}
	left.seg.slots[0].heartbeatNs.Store(0)
	if !bytes.Equal(left.seg.mem, child.last.seg.mem) || left.woken != child.last.woken {
		t.Errorf("state %d, %s: the kill left something else than was copied", state, where)
	}
	newCrashJudge(t, &run, repairByMaster).report(left, "for good at "+where)
	return true
}
