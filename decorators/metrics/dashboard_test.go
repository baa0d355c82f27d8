package metrics_test

import (
	"os"
	"regexp"
	"testing"
)

// named finds the metrics that a query names; what rules record has a colon in
// front.
var named = regexp.MustCompile(`[^:\w](larder_[a-z_]+)`)

func TestDashboardAndRulesNameMetricsThatThereAre(t *testing.T) {
	families, err := everything(t).Gather()
	if err != nil {
		t.Fatal(err)
	}
	there := make(map[string]bool)
	for _, f := range families {
		there[f.GetName()] = true
		if len(f.GetMetric()) > 0 && f.GetMetric()[0].GetHistogram() != nil {
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				there[f.GetName()+suffix] = true
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
			if !there[string(match[1])] {
				t.Errorf("%s: there is no %s", file, match[1])
			}
		}
		if len(found) == 0 {
			t.Errorf("%s names none", file)
		}
	}
}
