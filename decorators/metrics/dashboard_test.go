package metrics_test

import (
	"os"
	"regexp"
	"testing"
)

// named matches the metrics in a query. Names of recording rules have a colon in front.
var named = regexp.MustCompile(`[^:\w](larder_[a-z_]+)`)

func TestDashboardAndRulesNameExistingMetrics(t *testing.T) {
	families, err := everything(t).Gather()
	if err != nil {
		t.Fatal(err)
	}
	exists := make(map[string]bool)
	for _, f := range families {
		exists[f.GetName()] = true
		if len(f.GetMetric()) > 0 && f.GetMetric()[0].GetHistogram() != nil {
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				exists[f.GetName()+suffix] = true
			}
		}
	}
	for _, file := range []string{"dashboard.json", "rules.yml", "rules_test.yml"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := named.FindAllSubmatch(text, -1)
		for _, match := range found {
			if !exists[string(match[1])] {
				t.Errorf("%s names %s, which does not exist", file, match[1])
			}
		}
		if len(found) == 0 {
			t.Errorf("%s names no metric", file)
		}
	}
}
