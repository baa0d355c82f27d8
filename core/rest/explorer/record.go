package explorer

import (
	"encoding/json"
	"net/http"
	"slices"

	"github.com/larder-go/larder/core"
)

// recordPage is the content of the page of a record.
type recordPage struct {
	Heading, Description string
	Cells                []cell
	Edit, Delete         string // URLs; empty if they are not offered
	OnDemand             []link // fields that are shown only if they are asked for
}

// record shows a record with links to its related records.
func (v *visit) record() error {
	r := v.resource
	fields := chosenFields(r, v.r.URL.Query())
	answer, cols, err := v.read(v.path(), nil, columnsOf(fields, true))
	if err != nil {
		return err
	}
	record, err := rowOf(answer)
	if err != nil {
		return err
	}
	shown := recordPage{Description: r.Description(), Cells: v.cells(r, cols, record, false)}
	for _, f := range r.Fields() {
		if f.OnDemand() && !f.Hidden() && !slices.Contains(fields, f) {
			more := shownBy(columnsOf(append(fieldsOf(cols), f), false))
			shown.OnDemand = append(shown.OnDemand, link{Text: f.APIName(), URL: v.path() + "?" + more.Encode()})
		}
	}
	shown.Heading = r.APIName() + " " + brief(v.id, maxLabel)
	if f := labelOf(r); f != nil && len(record[f.APIName()]) > 0 {
		shown.Heading = brief(plain(record[f.APIName()]), maxLabel)
	}
	if shown.Edit, err = v.offered(core.Update, r, v.path()+"/$edit"); err != nil {
		return err
	}
	if shown.Delete, err = v.offered(core.Delete, r, v.path()+"/$delete"); err != nil {
		return err
	}
	return v.render(http.StatusOK, "record", shown.Heading, shown)
}

// rowOf returns the record of an answer.
func rowOf(answer *recorder) (record row, err error) {
	err = json.Unmarshal(answer.body.Bytes(), &record)
	return record, err
}
