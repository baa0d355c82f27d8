package rest

import (
	"fmt"
	"net/http"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// aggregateName is the segment of a path that asks for an aggregation of a resource, with [Options.Aggregates].
const aggregateName = "$aggregate"

// aggregateArguments are the arguments of an aggregation. They win over fields with the same API name.
var aggregateArguments = []string{"avg", "count", "filter", "group", "max", "min", "search", "sum"}

var aggregateEndpoint = endpoint{allowToRead, "", map[string]func(*exchange) error{
	http.MethodGet:     (*exchange).aggregate,
	http.MethodHead:    (*exchange).aggregate,
	http.MethodOptions: (*exchange).allowedMethods,
}}

// aggregate answers with the groups of an aggregation.
func (x *exchange) aggregate() error {
	p, err := x.decodeParams()
	if err != nil {
		return err
	}
	a, err := p.aggregation()
	if err != nil {
		return err
	}
	groups, err := x.api.Aggregate(x.ctx, x.resource.name, a)
	if err != nil {
		return err
	}
	buf := newBuffer()
	defer buf.release()
	buf.b = append(buf.b, '[')
	for i, g := range groups {
		if i > 0 {
			buf.b = append(buf.b, ',')
		}
		buf.b = g.AppendJSON(buf.b)
		if limit := x.api.Options().MaxBytes; len(buf.b) > limit {
			return &core.Error{Code: core.TooLarge, Message: fmt.Sprintf("the groups would have more than %d bytes; group by shorter fields", limit)}
		}
	}
	buf.b = append(buf.b, ']')
	if x.inBatch == nil { // the batch reserves its answers
		if err := x.reserved.tryAcquire(int64(len(buf.b))); err != nil {
			return err
		}
	}
	x.answer(http.StatusOK, buf.b)
	return nil
}

// aggregation returns the aggregation of the arguments.
func (p params) aggregation() (a engine.Aggregation, err error) {
	if a.Filter, err = p.filter(); err != nil {
		return a, err
	}
	a.Equal = p.equal(aggregateArguments)
	if a.Search, _, err = p.single("search"); err != nil {
		return a, err
	}
	for name, names := range map[string]*[]string{"group": &a.Group, "sum": &a.Sum, "min": &a.Min, "max": &a.Max, "avg": &a.Avg} {
		if *names, err = p.names(name); err != nil {
			return a, err
		}
	}
	text, given, err := p.single("count")
	if a.Count = given && text != "false"; err == nil && a.Count && text != "" && text != "true" {
		err = badParam("count", "true, false or no value")
	}
	return a, err
}

// aggregatePath describes the URL of the aggregations of a resource.
func (n schemaNames) aggregatePath(r *core.Resource) object {
	names := object{"type": "string"}
	arguments := []any{filterArgument(r, false)}
	if len(r.Searchable()) > 0 {
		arguments = append(arguments, ref("parameters", "search"))
	}
	arguments = append(arguments,
		arrayArgument("group", "Fields to group by, or paths over to-one relations to a field. At most 1000 groups.", names),
		argument("count", "Whether to count the records of each group.", object{"type": "boolean", "default": false}),
		arrayArgument("sum", "Int and decimal fields to add up, exactly.", names),
		arrayArgument("min", "Fields whose least value is asked for.", names),
		arrayArgument("max", "Fields whose greatest value is asked for.", names),
		arrayArgument("avg", "Int and decimal fields to average: the exact sum divided by the number of values, rounded to 16 digits after the point.", names))
	decimals := object{"type": "object", "additionalProperties": object{"type": []string{"string", "null"}}}
	values := object{"type": "object", "additionalProperties": object{}}
	group := object{"type": "object", "properties": object{
		"group": values, "count": object{"type": "integer"}, "sum": decimals, "min": values, "max": values, "avg": decimals,
	}}
	return object{"get": n.operation("aggregate_"+n.nameOf(r), r, object{
		"summary": "Count, add up and compare records of " + r.APIName(), "description": "Answers with figures about groups of the records that match the conditions.",
		"parameters": append(arguments, equalities(r, aggregateArguments)...),
		"responses":  responses(object{"200": response("The groups, ascending by their values.", object{"type": "array", "items": group})}),
	})}
}
