package promtest

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// Panel is a panel of a Grafana dashboard.
type Panel struct {
	Title, Description string
	Queries            []string
}

// Panels returns the panels of a dashboard. In the queries, the interval replaces the variable $__rate_interval, and a
// pattern that matches any value replaces the other variables.
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
