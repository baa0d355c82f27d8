package serial

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/anishathalye/porcupine"
)

// registers are the records that concurrent transactions work on, named by letters.
type registers [len(registerNames)]register

const registerNames = "xyzuv"

// register is the state of one record.
type register struct {
	exists, outside bool  // outside: the record has left the group that conditions ask for
	value           int64 // each write has a value of its own
}

// initialRegisters has x, y and z in the group.
var initialRegisters = registers{{exists: true, value: 1}, {exists: true, value: 2}, {exists: true, value: 3}}

// event is one operation of a transaction, with the values that it wrote or read.
type event struct {
	kind      byte // as in action
	index     int
	register  register  // read or written
	registers registers // result of a selection
	count     int       // result of a count
}

// after returns the registers after the event, and whether the event is possible in the given state with the recorded
// result.
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

// groupIndexes returns the indexes of the registers in the group.
func (s registers) groupIndexes() []int {
	var in []int
	for i, r := range s {
		if r.exists && !r.outside {
			in = append(in, i)
		}
	}
	return in
}

// inGroup returns the registers of the group; the others are zero.
func (s registers) inGroup() registers {
	var only registers
	for _, i := range s.groupIndexes() {
		only[i] = s[i]
	}
	return only
}

// serializable is porcupine's model of transactions that run one after the other, in an order that agrees with the order
// in which commits were acknowledged.
var serializable = porcupine.Model{
	Init: func() any { return initialRegisters },
	Step: func(state, _, output any) (bool, any) {
		s := state.(registers)               //nolint:forcetypeassert // made by Init
		for _, e := range output.([]event) { //nolint:forcetypeassert // recorded by perform
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
