package bankcheck

// Result is what a check found.
type Result struct {
	Checked  int // things that were checked
	Failed   int
	Problems []string // of the first ones
}

// OK says that everything held, and that there was something to hold.
func (r Result) OK() bool { return r.Failed == 0 && r.Checked > 0 }

func (r *Result) fail(problem string) {
	r.Failed++
	if len(r.Problems) < problemsMax {
		r.Problems = append(r.Problems, problem)
	}
}
