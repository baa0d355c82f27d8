package engine

import "github.com/larder-go/larder/core"

// group is the nodes of one resource on one level of the trees.
type nodeGroup struct {
	info  *resourceInfo
	nodes []*node
	byKey map[core.Value]*node // made when it is needed
}

// admit returns the nodes of the records, which are distinct; new nodes only for
// those that have none yet.
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

// add takes the admitted nodes in.
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

// find returns the node of that key, or nil.
func (g *nodeGroup) find(key core.Value) *node {
	if g.byKey == nil {
		g.byKey = make(map[core.Value]*node, len(g.nodes))
		for _, n := range g.nodes {
			g.byKey[n.record.Key()] = n
		}
	}
	return g.byKey[key]
}

// level is the groups of one level of the trees.
type level []*nodeGroup

// of returns the group of the resource, which it adds if need be.
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
