package explorer

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

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
	query, fields := url.Values{}, shownFields(r)
	asked := strings.Split(v.r.URL.Query().Get("show"), ",")
	shown := recordPage{Description: r.Description()}
	for _, f := range r.Fields() {
		if !f.OnDemand() || f.Hidden() {
			continue
		}
		if slices.Contains(asked, f.APIName()) {
			fields = append(fields, f)
			continue
		}
		more := url.Values{"show": {strings.Trim(strings.Join(append(asked, f.APIName()), ","), ",")}}
		shown.OnDemand = append(shown.OnDemand, link{Text: f.APIName(), URL: v.path() + "?" + more.Encode()})
	}
	answer, cols, err := v.read(v.path(), query, columnsOf(withKey(r, fields), true))
	if err != nil {
		return err
	}
	record, err := rowOf(answer)
	if err != nil {
		return err
	}
	shown.Cells = v.cells(r, cols, record, false)
	shown.Heading = r.APIName() + " " + brief(v.id, maxLabel)
	if f := labelOf(r); f != nil && len(record[f.APIName()]) > 0 {
		shown.Heading = brief(plain(record[f.APIName()]), maxLabel)
	}
	for kind, to := range map[core.Kind]*string{core.Update: &shown.Edit, core.Delete: &shown.Delete} {
		permitted, err := v.permitted(kind, r)
		if err != nil {
			return err
		}
		if permitted {
			*to = v.path() + map[core.Kind]string{core.Update: "/$edit", core.Delete: "/$delete"}[kind]
		}
	}
	return v.render(http.StatusOK, "record", shown.Heading, shown)
}

// rowOf returns the record of an answer.
func rowOf(answer *recorder) (record row, err error) {
	err = json.Unmarshal(answer.body.Bytes(), &record)
	return record, err
}
