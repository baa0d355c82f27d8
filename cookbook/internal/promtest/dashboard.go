package promtest

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// Panel is one of a Grafana dashboard.
type Panel struct {
	Title, Description string
	Queries            []string
}

// Panels returns those of a dashboard. In the queries, an interval stands where
// Grafana puts one, and the variables stand for anything.
func Panels(t *testing.T, file, interval string) (panels []Panel) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Templating struct{ List []struct{ Name string } }
		Panels     []struct {
			Title, Description string
			Targets            []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	variables := []string{"$__rate_interval", interval}
	for _, v := range dashboard.Templating.List {
		variables = append(variables, "$"+v.Name, ".*")
	}
	for _, p := range dashboard.Panels {
		panel := Panel{Title: p.Title, Description: p.Description}
		for _, target := range p.Targets {
			panel.Queries = append(panel.Queries, strings.NewReplacer(variables...).Replace(target.Expr))
		}
		panels = append(panels, panel)
	}
	return panels
}
