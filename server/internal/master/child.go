package master

import (
	"fmt"
	"time"

	"tradechat.internal/liblog"
	"tradechat.internal/libproto/serverstats"
	"tradechat.internal/server/internal/heritage"
	"tradechat.internal/server/internal/role"
	"tradechat.internal/server/internal/stats"
	"tradechat.internal/shmstore"
)

// child is the supervision's view of one place for a process: who fills it, and what became of those before.
type child struct {
	policy   role.Policy
	slot     int
	process  *process // nil: none runs
	dirty    bool     // its last process is gone and must be repaired after
	everUp   bool     // a process of it was ready
	well     bool     // its last process ended as it was asked to
	final    bool     // at a stop: its last process has had its say, or was not waited for any longer
	restarts int
	respawn  respawn
	dueAt    time.Time // of the next process, while there is none
	killFrom time.Time // of the one that was asked to end
}

// makeChildren makes a child for each process that the configuration asks for, in the order of the roles' table.
func (m *Master) makeChildren() {
	for _, p := range role.Table {
		for _, slot := range p.Slots(m.config) {
			m.children = append(m.children, child{policy: p, slot: slot})
		}
	}
	m.reports = make(chan report, 2*len(m.children))
}

// childOf finds the child of a process.
func (m *Master) childOf(p *process) *child {
	for i := range m.children {
		if m.children[i].slot == p.slot {
			return &m.children[i]
		}
	}
	return nil // no process has a slot that no child has
}

// gone reports whether nothing of the child is left, nor to come, in a server that stops.
func (m *Master) gone(c *child) bool {
	return c.process == nil && !c.dirty && !m.wanted(c)
}

// wanted reports whether a child without a process is to have one.
func (m *Master) wanted(c *child) bool {
	switch {
	case c.policy.Repeated == role.WritesFail && m.segment.ReadOnly():
		return false
	case m.phase != stopping:
		return true
	}
	return c.policy.Needed && !c.final && c.respawn.failures < failedStartsMax
}

// launch starts a process of a child.
func (m *Master) launch(c *child, mode heritage.Start) (*process, error) {
	d := m.descriptors()
	d.Listener = m.null
	if c.policy.Listens {
		d.Listener = m.sockets[c.slot].FD()
	}
	h := heritage.Heritage{Role: c.policy.Name, Slot: c.slot, Address: m.address, Config: m.config}
	if c.policy.Settles {
		h.Start = mode
	}
	return start(h, d, m.reports)
}

// descriptors are what every child gets.
func (m *Master) descriptors() heritage.Descriptors {
	d := heritage.Descriptors{Null: m.null, Stderr: stderrFD, Segment: m.segment.FD(), Lock: m.folder.LockFD()}
	for _, e := range m.events {
		d.Events = append(d.Events, int(e))
	}
	return d
}

// stderrFD is this process's, and so the children's.
const stderrFD = 2

// spawnDue starts a process for each child that is to have one and whose pause is over.
func (m *Master) spawnDue(now time.Time) {
	for i := range m.children {
		c := &m.children[i]
		if c.process == nil && !c.dirty && !now.Before(c.dueAt) && m.wanted(c) {
			m.spawn(c, now)
		}
	}
}

func (m *Master) spawn(c *child, now time.Time) {
	p, err := m.launch(c, heritage.StartRespawn)
	if err != nil {
		pause := c.respawn.after(0)
		c.dueAt = now.Add(max(pause, respawnFirst))
		m.log.Error().Int(liblog.FieldSlot, c.slot).Err(err).Dur("pause_ms", pause).Msg(c.policy.Title + " cannot be started")
		m.onRepeatedFailure(c, err.Error(), now)
		return
	}
	c.process = p
	m.log.Debug().Int(liblog.FieldSlot, c.slot).Int("child_pid", p.pid).Msg(c.policy.Title + " started")
}

// onRepeatedFailure draws the consequence of the last of too many failures in a row.
func (m *Master) onRepeatedFailure(c *child, last string, now time.Time) {
	if c.respawn.failures < failedStartsMax {
		return
	}
	switch c.policy.Repeated {
	case role.StartFails:
		if m.phase == starting && !c.everUp {
			m.giveUp(fmt.Errorf("%w: %s ended %d times before it accepted a connection (last: %s); its log says why",
				ErrStart, c.policy.Call(c.slot), c.respawn.failures, last), now)
		}
	case role.WritesFail:
		m.failJournal(fmt.Sprintf("the %s ended %d times in a row (last: %s)", c.policy.Title, c.respawn.failures, last))
	}
}

// failJournal makes the server read-only when no process is left that could write the log.
func (m *Master) failJournal(reason string) {
	m.withStore(func(st *shmstore.Store) { st.FailJournal(reason) })
}

func (m *Master) onReport(r report, now time.Time) {
	c := m.childOf(r.process)
	switch {
	case c.process != r.process: // its end was reported before its readiness
	case r.kind == processReady:
		m.onReady(c, now)
	case r.kind == processSpoke:
		m.log.Error().Str("verdict", r.word.Text).Msg("the " + c.policy.Title + " cannot go on")
		if c.policy.Repeated == role.WritesFail {
			m.failJournal(r.word.Text)
		}
	default:
		m.onEnd(c, now)
	}
}

func (m *Master) onReady(c *child, now time.Time) {
	p := c.process
	p.ready, c.everUp = true, true
	m.log.Info().Int(liblog.FieldSlot, c.slot).Int("child_pid", p.pid).Dur("after_ms", now.Sub(p.started)).
		Msg(c.policy.Title + " " + c.policy.Ready)
	if m.phase != starting {
		return
	}
	for i := range m.children {
		if !m.children[i].everUp {
			return
		}
	}
	m.phase = serving
	m.publish() // who reads the ready line may ask for the workers at once
	m.log.Info().Str("address", m.address).Msg("ready")
	m.say("ready %s", m.address)
}

// onEnd reaps the process, repairs after it, and sees to a successor.
func (m *Master) onEnd(c *child, now time.Time) {
	p := c.process
	status, ran := p.reap(), now.Sub(p.started)
	c.process = nil
	c.dirty = m.segment.SlotInfo(c.slot).State == shmstore.SlotRunning
	c.well = p.endedWell(status)
	c.final = c.final || (p.asked && status.Exited())
	if m.phase == stopping && (c.final || !c.policy.Needed) {
		m.log.Info().Int(liblog.FieldSlot, c.slot).Int("child_pid", p.pid).Str("how", endText(status)).Msg(c.policy.Title + " ended")
		m.settle(c)
		return
	}
	c.restarts++
	pause := c.respawn.after(ran)
	c.dueAt = now.Add(pause)
	crash := m.log.Error().Int(liblog.FieldSlot, c.slot).Int("child_pid", p.pid).Str("how", endText(status))
	if p.killed != "" {
		crash.Str("killed_because", p.killed)
	}
	crash.Dur("ran_ms", ran).Dur("pause_ms", pause).Int("restarts", c.restarts).Msg(c.policy.Title + " crashed" + c.policy.Death)
	m.settle(c)
	m.onRepeatedFailure(c, endText(status), now)
	m.spawnDue(now)
}

// settle repairs a dirty slot; while that meets a busy lock it stays dirty, and the next tick tries again.
func (m *Master) settle(c *child) {
	if c.dirty && m.repair(c.slot) == nil {
		c.dirty = false
	}
}

// publish makes the state of the children known to the admin socket.
func (m *Master) publish() {
	var processes []stats.Process
	for i := range m.children {
		c := &m.children[i]
		p := stats.Process{Role: c.policy.Name, Slot: c.slot, State: serverstats.StateDown, Restarts: c.restarts}
		if c.process != nil {
			p.PID, p.State = c.process.pid, c.process.state(m.phase)
		}
		processes = append(processes, p)
	}
	m.published.Store(&processes)
}

func (p *process) state(in phase) serverstats.State {
	switch {
	case in == stopping:
		return serverstats.StateStopping
	case p.ready:
		return serverstats.StateRunning
	}
	return serverstats.StateStarting
}
