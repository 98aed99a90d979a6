package ledger

import "time"

// ClockSlack is how far the clocks of processes that write the log may differ. A record is dated by the wall clock, but not earlier than the
// one before it, unless the clock was set back by more than this: then it has the clock's time again. So one run with a wrong clock does not
// date the records of all later ones.
const ClockSlack = time.Second
