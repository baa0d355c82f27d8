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
	exists, outside bool
	value           int64
}

// initially has x, y and z in the group.
var initialRegisters = registers{{exists: true, value: 1}, {exists: true, value: 2}, {exists: true, value: 3}}

// event is one operation of a transaction, with what it wrote or saw.
type event struct {
	kind      byte // as in [action]
	index     int
	register  register  // read or written
	registers registers // of a selection
	count     int       // of a count
}

// after returns the registers as the event leaves them, and whether it could
// have happened and seen what it saw.
func (e event) after(s registers) (registers, bool) {
	r := s[e.index]
	switch e.kind {
	case read:
		return s, r == e.register
	case write:
		s[e.index].value = e.register.value
		return s, r.exists
	case move:
		s[e.index] = e.register
		return s, r.exists
	case guarded:
		s[e.index].value = e.register.value
		return s, r.exists && !r.outside
	case insert:
		s[e.index] = e.register
		return s, !r.exists
	case remove:
		s[e.index] = register{}
		return s, r.exists
	case count:
		return s, len(s.groupIndexes()) == e.count
	case selectGroup:
		return s, s.inGroup() == e.registers
	}
	return s, s == e.registers
}

// group returns the indexes of the registers in the group.
func (s registers) groupIndexes() []int {
	var in []int
	for i, r := range s {
		if r.exists && !r.outside {
			in = append(in, i)
		}
	}
	return in
}

// onlyGroup returns the registers without those that are not in the group.
func (s registers) inGroup() registers {
	var only registers
	for _, i := range s.groupIndexes() {
		only[i] = s[i]
	}
	return only
}

// serializable is the model of transactions that run one after the other, in an
// order that agrees with the order in which they were acknowledged.
var serializable = porcupine.Model{
	Init: func() any { return initialRegisters },
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
	case !r.exists:
		return "nothing"
	case r.outside:
		return fmt.Sprintf("%d outside", r.value)
	}
	return strconv.FormatInt(r.value, 10)
}

func (s registers) String() string {
	var parts []string
	for i, r := range s {
		if r.exists {
			parts = append(parts, fmt.Sprintf("%c: %v", registerNames[i], r))
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func (e event) String() string {
	switch e.kind {
	case read:
		return fmt.Sprintf("read %v from %c", e.register, registerNames[e.index])
	case remove:
		return fmt.Sprintf("deleted %c", registerNames[e.index])
	case count:
		return fmt.Sprintf("counted %d", e.count)
	case selectGroup, readAll:
		return fmt.Sprintf("found %v", e.registers)
	}
	return fmt.Sprintf("wrote %v to %c", e.register, registerNames[e.index])
}
