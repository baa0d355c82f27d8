package engine

import "github.com/larder-go/larder/core"

// nodeGroup holds the nodes of one resource on one level.
type nodeGroup struct {
	info  *resourceInfo
	nodes []*node
	byKey map[core.Value]*node // built on first use
}

// nodesFor returns the nodes of the records, which must be distinct. It creates the missing ones.
func (g *nodeGroup) nodesFor(records []core.Record, bare bool) []*node {
	first := len(g.nodes) == 0
	admitted := make([]*node, len(records))
	space := make([]node, len(records))
	var parts []part
	if !bare {
		parts = make([]part, len(records)*g.info.partCount)
	}
	for i, rec := range records {
		if !first {
			if n := g.find(rec.Key()); n != nil {
				admitted[i] = n
				continue
			}
		}
		n := &space[i]
		*n = node{info: g.info, record: rec, idOnly: bare, size: g.info.nodeSize(rec, bare)}
		if !bare {
			n.parts, parts = parts[:g.info.partCount:g.info.partCount], parts[g.info.partCount:]
		}
		admitted[i] = n
	}
	g.addNodes(admitted, first)
	return admitted
}

// addNodes adds nodes to the group.
func (g *nodeGroup) addNodes(admitted []*node, first bool) {
	if first {
		g.nodes = admitted
		return
	}
	for _, n := range admitted {
		if key := n.record.Key(); g.byKey[key] == nil {
			g.byKey[key] = n
			g.nodes = append(g.nodes, n)
		}
	}
}

// find returns the node with that key, or nil.
func (g *nodeGroup) find(key core.Value) *node {
	if g.byKey == nil {
		g.byKey = make(map[core.Value]*node, len(g.nodes))
		for _, n := range g.nodes {
			g.byKey[n.record.Key()] = n
		}
	}
	return g.byKey[key]
}

// level holds the groups of one level, one for each resource.
type level []*nodeGroup

// group returns the group of the resource, a new one if there is none.
func (l *level) group(info *resourceInfo) *nodeGroup {
	for _, g := range *l {
		if g.info == info {
			return g
		}
	}
	g := &nodeGroup{info: info}
	*l = append(*l, g)
	return g
}
