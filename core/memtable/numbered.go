package memtable

import (
	"math"
	"slices"

	"github.com/tidwall/btree"

	"github.com/larder-go/larder/core"
)

// numbered is the records of a resource whose keys are numbers. Most are handed
// out one after the other, so neighbours share a page and pages a block, where
// they are found by the bits of their keys, and only the blocks are searched for.
// That makes a get several times faster than in a tree of records, whose search
// mispredicts a branch on every other step, and an update copies less.
type numbered struct {
	blocks *btree.Map[int64, *block]
	count  int
}

type (
	block = sparse[*page]
	page  = sparse[core.Record]
)

// A key is the number of its block, of a page there, and of a place there.
const (
	pageBits  = 6
	placeBits = 4
	blockBits = pageBits + placeBits
)

func blockOf(key int64) int64 { return key >> blockBits }
func pageOf(key int64) uint   { return uint(key>>placeBits) & (1<<pageBits - 1) } //nolint:gosec // the bits count
func placeOf(key int64) uint  { return uint(key) & (1<<placeBits - 1) }           //nolint:gosec // the bits count

func newNumbered() records[int64] { return &numbered{blocks: btree.NewMap[int64, *block](0)} }

func (n *numbered) size() int { return n.count }

func (n *numbered) fill(keys []int64, all []core.Record) {
	n.count = len(all)
	for end := 0; end < len(keys); {
		b := new(block)
		number := blockOf(keys[end])
		for end < len(keys) && blockOf(keys[end]) == number {
			p := new(page)
			begin := end
			for end < len(keys) && keys[end]>>placeBits == keys[begin]>>placeBits {
				p.used |= 1 << placeOf(keys[end])
				end++
			}
			p.values = slices.Clone(all[begin:end])
			b.used |= 1 << pageOf(keys[begin])
			b.values = append(b.values, p)
		}
		n.blocks.Load(number, b)
	}
}

func (n *numbered) get(key int64) (core.Record, bool) {
	b, _ := n.blocks.Get(blockOf(key))
	p, _ := b.get(pageOf(key))
	return p.get(placeOf(key))
}

func (n *numbered) set(key int64, rec core.Record) {
	b, _ := n.blocks.Get(blockOf(key))
	p, _ := b.get(pageOf(key))
	if _, replaced := p.get(placeOf(key)); !replaced {
		n.count++
	}
	n.blocks.Set(blockOf(key), b.with(pageOf(key), p.with(placeOf(key), rec)))
}

func (n *numbered) remove(key int64) {
	b, _ := n.blocks.Get(blockOf(key))
	p, _ := b.get(pageOf(key))
	if p = p.without(placeOf(key)); p != nil {
		b = b.with(pageOf(key), p)
	} else {
		b = b.without(pageOf(key))
	}
	if b != nil {
		n.blocks.Set(blockOf(key), b)
	} else {
		n.blocks.Delete(blockOf(key))
	}
	n.count--
}

func (n *numbered) clone() records[int64] { return &numbered{n.blocks.Copy(), n.count} }

func (n *numbered) scan(from int64, bounded, desc bool, visit func(int64, core.Record) bool) {
	switch {
	case !bounded && desc:
		from = math.MaxInt64
	case !bounded:
		from = math.MinInt64
	}
	inBlock := func(number int64, b *block) bool {
		pages := everyPlace
		if number == blockOf(from) {
			pages = beyond(pageOf(from), desc)
		}
		return b.scan(pages, desc, func(i uint, p *page) bool {
			first := number<<blockBits | int64(i)<<placeBits //nolint:gosec // i is below 64
			places := everyPlace
			if first == from&^(1<<placeBits-1) {
				places = beyond(placeOf(from), desc)
			}
			return p.scan(places, desc, func(i uint, rec core.Record) bool {
				return visit(first|int64(i), rec) //nolint:gosec // i is below 64
			})
		})
	}
	if desc {
		n.blocks.Descend(blockOf(from), inBlock)
	} else {
		n.blocks.Ascend(blockOf(from), inBlock)
	}
}
