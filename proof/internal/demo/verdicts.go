package demo

// verdict is one thing that must hold.
type verdict struct {
	what   string
	held   bool
	detail string
}

// verdicts are all that have been found.
type verdicts []verdict

func (v *verdicts) note(what string, held bool, detail string) {
	*v = append(*v, verdict{what, held, detail})
}

func (v verdicts) allHeld() bool {
	for _, one := range v {
		if !one.held {
			return false
		}
	}
	return true
}
