package worker

// crowd is the local members of one room, packed.
type crowd []member

type member struct {
	c       *conn
	fromPos uint64 // events before this position are not for it
	news    uint64 // nor are joins and leaves up to this number
}

// seat says where in a room's crowd a connection is.
type seat struct {
	room, at uint32
}

func (w *Worker) seatIn(c *conn, room uint32, fromPos, news uint64) {
	c.seats = append(c.seats, seat{room: room, at: uint32(len(w.rooms[room]))})
	w.rooms[room] = append(w.rooms[room], member{c: c, fromPos: fromPos, news: news})
}

// unseat takes a connection out of a room, if it is there.
func (w *Worker) unseat(c *conn, room uint32) {
	for i, s := range c.seats {
		if s.room == room {
			w.vacate(s)
			last := len(c.seats) - 1
			c.seats[i] = c.seats[last]
			c.seats = c.seats[:last]
			return
		}
	}
}

func (w *Worker) unseatAll(c *conn) {
	for _, s := range c.seats {
		w.vacate(s)
	}
	c.seats = nil
}

// vacate moves the room's last member into a seat.
func (w *Worker) vacate(s seat) {
	crowd := w.rooms[s.room]
	last := len(crowd) - 1
	moved := crowd[last]
	crowd[s.at] = moved
	crowd[last] = member{}
	w.rooms[s.room] = crowd[:last]
	moved.c.reseat(s.room, s.at)
}

func (c *conn) reseat(room, at uint32) {
	for i := range c.seats {
		if c.seats[i].room == room {
			c.seats[i].at = at
			return
		}
	}
}
