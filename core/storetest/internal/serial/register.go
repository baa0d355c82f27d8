package serial

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/anishathalye/porcupine"
)

// registers are what concurrent transactions work on: a few records, named by
// letters. In the beginning those of [initially] are there.
type registers [len(registerNames)]register

const registerNames = "xyzuv"

// register is one record: whether it is there, whether it has left the group
// that conditions ask for, and what was written to it, never the same twice.
type register struct {
	there, left bool
	value       int64
}

// initially has x, y and z in the group.
var initially = registers{{there: true, value: 1}, {there: true, value: 2}, {there: true, value: 3}}

// event is one operation of a transaction, with what it wrote or saw.
type event struct {
	do   byte // as in [action]
	reg  int
	one  register  // read or written
	all  registers // of a selection
	many int       // of a count
}

// after returns the registers as the event leaves them, and whether it could
// have happened and seen what it saw.
func (e event) after(s registers) (registers, bool) {
	r := s[e.reg]
	switch e.do {
	case read:
		return s, r == e.one
	case write:
		s[e.reg].value = e.one.value
		return s, r.there
	case move:
		s[e.reg] = e.one
		return s, r.there
	case guarded:
		s[e.reg].value = e.one.value
		return s, r.there && !r.left
	case insert:
		s[e.reg] = e.one
		return s, !r.there
	case remove:
		s[e.reg] = register{}
		return s, r.there
	case count:
		return s, len(s.group()) == e.many
	case selectGroup:
		return s, s.onlyGroup() == e.all
	}
	return s, s == e.all
}

// group returns the indexes of the registers in the group.
func (s registers) group() []int {
	var in []int
	for i, r := range s {
		if r.there && !r.left {
			in = append(in, i)
		}
	}
	return in
}

// onlyGroup returns the registers without those that are not in the group.
func (s registers) onlyGroup() registers {
	var only registers
	for _, i := range s.group() {
		only[i] = s[i]
	}
	return only
}

// serializable is the model of transactions that run one after the other, in an
// order that agrees with the order in which they were acknowledged.
var serializable = porcupine.Model{
	Init: func() any { return initially },
	Step: func(state, _, output any) (bool, any) {
		s := state.(registers)               //nolint:forcetypeassert // made by Init
		for _, e := range output.([]event) { //nolint:forcetypeassert // made by players
			var ok bool
			if s, ok = e.after(s); !ok {
				return false, s
			}
		}
		return true, s
	},
}

func (r register) String() string {
	switch {
	case !r.there:
		return "nothing"
	case r.left:
		return fmt.Sprintf("%d outside", r.value)
	}
	return strconv.FormatInt(r.value, 10)
}

func (s registers) String() string {
	var parts []string
	for i, r := range s {
		if r.there {
			parts = append(parts, fmt.Sprintf("%c: %v", registerNames[i], r))
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func (e event) String() string {
	switch e.do {
	case read:
		return fmt.Sprintf("read %v from %c", e.one, registerNames[e.reg])
	case remove:
		return fmt.Sprintf("deleted %c", registerNames[e.reg])
	case count:
		return fmt.Sprintf("counted %d", e.many)
	case selectGroup, everything:
		return fmt.Sprintf("found %v", e.all)
	}
	return fmt.Sprintf("wrote %v to %c", e.one, registerNames[e.reg])
}
